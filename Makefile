# Everything here works on a private copy of PostgreSQL and on servers that are gone afterwards.
# The system's own PostgreSQL is neither changed nor started.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo psql test lint bench clean

help:
	@echo 'make demo    300 tickets, 2000 buyers: how shops oversell, and how they do not (half a minute)'
	@echo 'make psql    a session on a throw-away server with the extension created'
	@echo 'make test    every test, with the background worker on and off (some minutes)'
	@echo 'make bench   how fast it is on this machine'
	@echo 'make lint    formatting and clippy only'
	@echo 'make setup   what all of these do first: packages, tools, build, install (once: some minutes)'
	@echo 'make clean   removes what was built, and the private copy; keeps .tools'
	@echo
	@echo 'PG_MAJOR=16 make ...   another PostgreSQL than the one found first; 13 to 18'

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

lint:
	@scripts/setup --quiet
	@scripts/test --lint-only

clean:
	@scripts/clean
