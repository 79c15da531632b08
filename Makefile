# Every target uses a private copy of PostgreSQL, and servers that are removed afterwards. No target changes or
# starts the system's PostgreSQL.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo psql test test-all package image lint bench clean

help:
	@echo 'make demo    300 tickets, 2000 buyers: a usual shop oversells, booking does not (half a minute)'
	@echo 'make psql    a session on a throw-away server with the extension'
	@echo 'make test    runs every test, with the background worker on and off (some minutes)'
	@echo 'make test-all  the same, then what depends on the server on every other supported version of PostgreSQL'
	@echo 'make package  builds Debian packages, an archive for PGXN and the sources, into target/packages'
	@echo 'make image   builds a container image with PostgreSQL 17, if podman, buildah or docker is installed'
	@echo 'make bench   measures how fast it is on this machine'
	@echo 'make lint    checks only formatting and clippy'
	@echo 'make setup   what each of these does first: packages, tools, build, install (the first time: some minutes)'
	@echo 'make clean   removes what was built, and the private copy; keeps .tools'
	@echo
	@echo 'PG_MAJOR=18 make ...   uses another version of PostgreSQL than the one found first (15 to 18)'

setup:
	@scripts/setup

demo:
	@scripts/setup --quiet
	@scripts/live demo

bench:
	@scripts/setup --quiet --bench
	@scripts/live bench

psql:
	@scripts/setup --quiet
	@PSQLRC=scripts/psqlrc scripts/live throwaway psql

test:
	@scripts/setup
	@scripts/test

test-all: test
	@scripts/test-others

package:
	@scripts/setup --quiet
	@scripts/package

image:
	@scripts/setup --quiet
	@scripts/image

lint:
	@scripts/setup --quiet
	@scripts/test --lint-only

clean:
	@scripts/clean
