# tools/core.mk: the C core as a plain library, without R, and its tests; see tools/core.
#   plain    every core file as users get it, all warnings are errors
#   checked  core and tests with debug assertions, address and undefined-behaviour sanitizers
OUT := build/core
ONLY :=
SOURCES := $(wildcard src/core/*/*.c)
TESTS := $(patsubst tests/core/%.c,%,$(wildcard tests/core/test_*$(ONLY)*.c))
OPENMP := -fopenmp
STANDARD := c11
FLAGS := -std=$(STANDARD) -Wall -Wextra -Werror $(OPENMP) -Isrc -MMD -MP
CHECKED := -O1 -g -DNG_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=undefined

all: $(OUT)/libnucleograd.a $(TESTS:%=$(OUT)/%)
library: $(OUT)/libnucleograd.a
objects: $(SOURCES:src/%.c=$(OUT)/checked/%.o)
tests: $(TESTS:%=$(OUT)/%)

$(OUT)/libnucleograd.a: $(SOURCES:src/%.c=$(OUT)/plain/%.o)
	rm -f $@ && ar rcs $@ $^

$(OUT)/plain/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -O2 -c $< -o $@

$(OUT)/checked/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CHECKED) -c $< -o $@

$(OUT)/test_%: tests/core/test_%.c $(SOURCES:src/%.c=$(OUT)/checked/%.o)
	$(CC) $(FLAGS) $(CHECKED) -o $@ $(filter %.c %.o,$^) -lm

.PHONY: all library objects tests
.SECONDARY:
-include $(wildcard $(OUT)/*/*/*/*.d $(OUT)/*.d)
