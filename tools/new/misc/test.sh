#!/bin/sh -e
# What `make test` runs in the guest while the module is loaded. It passes if this
# exits with 0.
/mymod_test
