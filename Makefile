# Trine: `make` builds ./trine, `make test` runs every test, `make demo` shows what it does.
#
# Switches: SANITIZE=1 (address and undefined behaviour), F64=1 (double precision, for gradient
# checks), BUILD=directory (default: build, build/sanitize, build/f64).

CC = gcc
PACKAGES = sqlite3 libzstd zlib jansson libpcre2-8 libutf8proc libsodium cairo libpng lapacke libmicrohttpd
DEBIAN_PACKAGES = gcc libstdc++-12-dev make pkg-config libdnnl-dev libsqlite3-dev libzstd-dev zlib1g-dev \
    libjansson-dev libpcre2-dev libutf8proc-dev libsodium-dev libcairo2-dev libpng-dev liblapacke-dev libcadical-dev libmicrohttpd-dev libcmocka-dev npm \
    ca-certificates curl jq python3 python3-pip python3-venv

SANITIZE ?= 0
F64 ?= 0
BUILD ?= build$(if $(filter 1,$(SANITIZE)),/sanitize)$(if $(filter 1,$(F64)),/f64)

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wundef \
    -Wno-unknown-pragmas
OPTIMISE = -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast
CPPFLAGS = -Isrc -Iinclude -Itests -D_GNU_SOURCE -DTRINE_VERSION='"$(VERSION)"' -DTRINE_SHARE='"$(PREFIX)/share/trine"' $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CFLAGS = -std=gnu11 -g -fopenmp -fvisibility=hidden -fPIC $(WARNINGS) $(OPTIMISE)
LINKED_PACKAGES = $(filter-out cairo libpng lapacke libmicrohttpd,$(PACKAGES))
# oneDNN, LAPACKE, Cairo, libpng and libmicrohttpd are opened by those who use them (base/shared_library.h). The C++ of CaDiCaL is linked in:
# its shared library would take more memory than all of ours.
LDLIBS = -Wl,--as-needed $(shell pkg-config --libs $(LINKED_PACKAGES) 2>/dev/null) \
    -lcadical -static-libgcc -Wl,-Bstatic -lstdc++ -Wl,-Bdynamic -lm -lpthread
VERSION = 0.1.0

ifeq ($(SANITIZE),1)
CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CPPFLAGS += -DTRINE_NO_CLONES
endif
ifeq ($(F64),1)
CPPFLAGS += -DTRINE_F64 -DTRINE_NO_CLONES
endif

LIBRARY_SOURCES = $(wildcard src/base/*.c src/math/*.c src/picture/*.c src/text/*.c src/file/*.c src/model/*.c \
    src/latent/*.c src/train/*.c src/dream/*.c src/truth/*.c src/good/*.c src/serve/*.c src/api/*.c)
CLI_SOURCES = $(wildcard src/cli/*.c)
TEST_SOURCES = $(wildcard tests/*/*_test.c)
LIBRARY = $(BUILD)/libtrine.a
LIBRARY_OBJECTS = $(LIBRARY_SOURCES:%.c=$(BUILD)/%.o)
TESTS = $(TEST_SOURCES:%.c=$(BUILD)/%)
PROGRAM = $(if $(filter build,$(BUILD)),trine,$(BUILD)/trine)

.PHONY: all test check tests bench demo demo-smollm2 fuzz install uninstall clean format format-check packages
all: $(PROGRAM)

# Everything from nothing to a trained model and its report, under demo/.
demo: packages
	+@$(MAKE) -j$(JOBS) all
	@env -u OPENBLAS_CORETYPE recipes/sotu/demo.sh ./$(PROGRAM) demo

# SmolLM2 with authors and dates: fetches the checkpoint, uses the adapter in models/.
demo-smollm2: packages
	+@$(MAKE) -j$(JOBS) all
	@recipes/smollm2-sotu/demo.sh ./$(PROGRAM) demo

bench: packages
	+@$(MAKE) -j$(JOBS) all
	@env -u OPENBLAS_CORETYPE bench/run.sh ./$(PROGRAM)

-include $(LIBRARY_OBJECTS:.o=.d) $(CLI_SOURCES:%.c=$(BUILD)/%.d) $(TESTS:=.d) \
    $(LIBRARY_SOURCES:%.c=build/fuzz/%.d)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

include studio/studio.mk

# What is embedded leaves no dependency.
$(BUILD)/src/serve/routes.o build/fuzz/src/serve/routes.o: src/serve/openapi.json
$(BUILD)/src/dream/microscope_page.o build/fuzz/src/dream/microscope_page.o: src/dream/microscope.css src/dream/microscope.js

$(LIBRARY): $(LIBRARY_OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

# The shared library shows what trine.h declares, nothing else.
SHARED = $(BUILD)/libtrine.so.0
$(SHARED): $(LIBRARY_OBJECTS) src/api/trine.map
	@echo "  LINK    $@"
	@$(CC) $(CFLAGS) -shared -Wl,-soname,libtrine.so.0,--version-script=src/api/trine.map -o $@ \
	    $(LIBRARY_OBJECTS) $(LDLIBS)

$(PROGRAM): $(CLI_SOURCES:%.c=$(BUILD)/%.o) $(LIBRARY)
	@echo "  LINK    $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: tests/%.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) -lcmocka $(LDLIBS)

$(BUILD)/bench/%: bench/%.c $(LIBRARY)
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) $(LDLIBS)

DRIVER = $(BUILD)/tests/peers/driver
tests: $(TESTS) $(PROGRAM) $(DRIVER)

# Every reader of files, fed with what nobody meant (libFuzzer; clang). FUZZ_SECONDS for all
# targets together, or for each with FUZZ=each.
FUZZ_SECONDS = 60
FUZZ_SOURCES = $(wildcard tests/fuzz/*_fuzz.c)
FUZZERS = $(FUZZ_SOURCES:tests/fuzz/%.c=build/fuzz/%)
FUZZ_OBJECTS = $(LIBRARY_SOURCES:%.c=build/fuzz/%.o)
FUZZ_FLAGS = -std=gnu11 -g -O1 -w -fsanitize=fuzzer-no-link,address,undefined \
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
    -Itests/fuzz

.SECONDARY: $(FUZZ_OBJECTS)
build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	@clang $(CPPFLAGS) -DTRINE_NO_CLONES $(FUZZ_FLAGS) -MMD -MP -c $< -o $@

build/fuzz/%_fuzz: tests/fuzz/%_fuzz.c $(FUZZ_OBJECTS)
	@echo "  LINK    $@"
	@clang $(CPPFLAGS) -DTRINE_NO_CLONES $(FUZZ_FLAGS) -fsanitize=fuzzer $< $(FUZZ_OBJECTS) \
	    $(LDLIBS) -o $@

fuzz: all
	@tools/packages.sh clang libclang-rt-14-dev
	+@$(MAKE) -j$(JOBS) $(FUZZERS)
	@TRINE=./$(PROGRAM) tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS) $(FUZZ)

packages:
	@tools/packages.sh $(DEBIAN_PACKAGES)

# Compiles in one go with every core; each check names the build it ran.
JOBS = $(shell nproc)
SCRIPTS = $(wildcard tests/*/*_test.sh)

# The page is tried in a browser where there is one to be had. Most tests keep one core busy: the
# other builds what the plain build is compared with, meanwhile.
test: packages
	-@tools/packages.sh chromium
	+@[ -n "$$TRINE_PEERS" ] || nice -n 19 tests/peers/prepare.sh >/dev/null 2>&1 & $(MAKE) -j$(JOBS) check
	+$(MAKE) -j$(JOBS) check F64=1 SANITIZE=1 SCRIPTS= TEST_SOURCES="$(wildcard tests/math/*_test.c tests/model/*_test.c tests/latent/*_test.c tests/train/*_test.c $(addprefix tests/good/,attack_test.c good_train_test.c odds_test.c preference_test.c))"
	+$(MAKE) -j$(JOBS) check SANITIZE=1
	+$(MAKE) fuzz
	@echo "all tests passed: plain, double precision, sanitizers, fuzzing"

check: tests
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE tests/run.sh $(BUILD) $(abspath $(PROGRAM)) $(TESTS) $(SCRIPTS)

# Of the command line, for shells, from the program's own help.
COMPLETIONS = $(BUILD)/completions
$(COMPLETIONS)/trine.bash: $(PROGRAM) tools/completions.py
	@tools/completions.py ./$(PROGRAM) $(COMPLETIONS)

PREFIX = /usr/local
STANDARDS = plain before-1900 oz
PRINCIPLES = $(wildcard recipes/principles/*.json) recipes/principles/principles.sig
INSTALLED = $(DESTDIR)$(PREFIX)
SYSTEMD_UNIT_DIR = $(PREFIX)/lib/systemd/system
install: $(PROGRAM) $(LIBRARY) $(SHARED) $(COMPLETIONS)/trine.bash
	install -d $(INSTALLED)/bin $(INSTALLED)/include $(INSTALLED)/lib/pkgconfig $(INSTALLED)/share/man/man1
	install -m 755 $(PROGRAM) $(INSTALLED)/bin/trine
	install -m 644 include/trine.h $(INSTALLED)/include
	install -m 644 $(LIBRARY) $(INSTALLED)/lib
	install -m 755 $(SHARED) $(INSTALLED)/lib
	ln -sf libtrine.so.0 $(INSTALLED)/lib/libtrine.so
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@PACKAGES@|$(LINKED_PACKAGES)|' doc/trine.pc.in | \
	    install -m 644 /dev/stdin $(INSTALLED)/lib/pkgconfig/trine.pc
	install -m 644 doc/trine.1 $(INSTALLED)/share/man/man1
	for standard in $(STANDARDS); do \
	    install -d $(INSTALLED)/share/trine/standards/$$standard && \
	    install -m 644 recipes/standards/$$standard/*.json* $(INSTALLED)/share/trine/standards/$$standard || exit 1; done
	install -d $(INSTALLED)/share/trine/principles
	rm -f $(INSTALLED)/share/trine/principles/[0-9][0-9]-*.json # one of an earlier version is not in the signed set
	install -m 644 $(PRINCIPLES) $(INSTALLED)/share/trine/principles
	install -m 644 recipes/operator.pub packaging/trine.conf $(INSTALLED)/share/trine
	install -d $(DESTDIR)$(SYSTEMD_UNIT_DIR) $(INSTALLED)/lib/sysusers.d $(INSTALLED)/share/bash-completion/completions \
	    $(INSTALLED)/share/zsh/site-functions $(INSTALLED)/share/fish/vendor_completions.d
	sed 's|/usr/local/|$(PREFIX)/|' packaging/trine.service | install -m 644 /dev/stdin $(DESTDIR)$(SYSTEMD_UNIT_DIR)/trine.service
	install -m 644 packaging/trine.sysusers $(INSTALLED)/lib/sysusers.d/trine.conf
	install -m 644 $(COMPLETIONS)/trine.bash $(INSTALLED)/share/bash-completion/completions/trine
	install -m 644 $(COMPLETIONS)/_trine $(INSTALLED)/share/zsh/site-functions
	install -m 644 $(COMPLETIONS)/trine.fish $(INSTALLED)/share/fish/vendor_completions.d

# Removes what install puts there and nothing else; twice is no error.
uninstall:
	[ ! -d $(INSTALLED)/share/trine ] || { cd $(INSTALLED)/share/trine && \
	    rm -f operator.pub trine.conf $(PRINCIPLES:recipes/%=%) $(STANDARDS:%=standards/%/standard.json) $(STANDARDS:%=standards/%/beliefs.jsonl) && \
	    for directory in principles $(STANDARDS:%=standards/%) standards ../trine; do \
	        [ ! -d $$directory ] || rmdir --ignore-fail-on-non-empty $$directory || exit 1; done; }
	rm -f $(DESTDIR)$(SYSTEMD_UNIT_DIR)/trine.service
	[ ! -d $(INSTALLED) ] || { cd $(INSTALLED) && rm -f bin/trine include/trine.h lib/libtrine.a lib/libtrine.so lib/libtrine.so.0 \
	    lib/pkgconfig/trine.pc lib/sysusers.d/trine.conf share/man/man1/trine.1 share/bash-completion/completions/trine \
	    share/zsh/site-functions/_trine share/fish/vendor_completions.d/trine.fish; }

clean:
	rm -rf build trine

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

format-check:
	clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h')
