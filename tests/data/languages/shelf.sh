#!/bin/sh
set -e
# Says it.
say() {
  echo "$1"
}
say x
