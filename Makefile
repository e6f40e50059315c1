# Every target is a command of dev.py; ARGS are handed on: make test ARGS="tests/domain -k owner"

.PHONY: run test faults bench check package pins

run test faults bench check package pins:
	@python3 dev.py $@ $(ARGS)
