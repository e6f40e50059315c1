# Every target is a command of dev.py; ARGS are handed on: make test ARGS="tests/domain -k owner"

.PHONY: run test faults check pins

run test faults check pins:
.PHONY: run test check bench pins

run test check bench pins:
	@python3 dev.py $@ $(ARGS)
