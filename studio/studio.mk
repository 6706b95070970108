# The page of `trine serve`: built with npm where there is one, and taken into the program.
# STUDIO=0 builds without; `make studio` tries again, or builds it anew.
STUDIO ?= 1
STUDIO_KIND := $(if $(filter 0,$(STUDIO)),without,$(if $(shell command -v npm 2>/dev/null),with,without))
STUDIO_HEADER = build/studio/$(STUDIO_KIND)/studio_embedded.h
STUDIO_SOURCES = $(shell find studio/src studio/public -type f) studio/index.html studio/vite.config.ts studio/land.ts \
    studio/package.json studio/package-lock.json

.PHONY: studio
studio:
	@rm -f $(STUDIO_HEADER)
	+@$(MAKE) $(STUDIO_HEADER)

build/studio/with/studio_embedded.h: $(STUDIO_SOURCES) studio/build.sh tools/embed_studio.sh
	@echo "  STUDIO  $@"
	@studio/build.sh $@

build/studio/without/studio_embedded.h:
	@mkdir -p $(@D)
	@echo "studio: $(if $(filter 0,$(STUDIO)),STUDIO=0,there is no npm); the program is built without its page" >&2
	@echo "/* The studio was not built. */" >$@

STUDIO_OBJECTS = $(BUILD)/src/serve/studio_files.o build/fuzz/src/serve/studio_files.o
$(sort $(STUDIO_OBJECTS)): $(STUDIO_HEADER)
$(sort $(STUDIO_OBJECTS)): CPPFLAGS += -Ibuild/studio/$(STUDIO_KIND)
