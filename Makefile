# For fingers that type make: every target calls ./dev, which does the work.
.PHONY: all build demo test sweep fuzz conformance bench format lint setup help
all: build
build demo test sweep fuzz conformance bench format lint setup help:
	@./dev $@
