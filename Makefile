# Two commands matter: `make lab` and `make test`. Both make the environment in .venv first.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/.ready
# In a container one is often root, which Jupyter refuses unless told.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
CPU_WHEELS := https://download.pytorch.org/whl/cpu

.PHONY: help lab test test-slow notebooks contents stamp site weights bench constraints audit lint format clean FORCE

help:
	@echo "make lab        install, and open JupyterLab on the start page"
	@echo "make test       install, and pass the quick tests"
	@echo "make test-slow  pass the slow ones: notebooks with solutions, every explorer in a browser"
	@echo "make notebooks  run notebooks/source/*.py and store them with their outputs; make notebooks/05_vae.ipynb builds"
	@echo "                one of them, and runs it only if its code has changed"
	@echo "make contents   put the list of chapters into README.md and the notebooks"
	@echo "make stamp      renew the page's scripts and styles in the stored notebooks, running nothing"
	@echo "make site       turn the stored notebooks into web pages in site/, live without kernel or network"
	@echo "make weights    train the shipped weights again (about half an hour)"
	@echo "make bench      measure speed, quality, memory and dragging into benchmarks/RESULTS.md (about 40 minutes)"
	@echo "make constraints  choose the newest versions of everything, in binder/constraints.txt; then test"
	@echo "make audit      look the versions in binder/constraints.txt up among known vulnerabilities (OSV)"
	@echo "make lint       check format and lint with ruff; make format mends what it can"
	@echo "make clean      remove the environment"

lab: $(READY)
	@echo "Opening JupyterLab on notebooks/00_start_here.ipynb (stop it with Ctrl-C)"
	@$(PY) -m jupyterlab $(AS_ROOT) $(LAB_FLAGS) notebooks/00_start_here.ipynb

# A process for each core. What takes long is named first, so that no core is idle at the end.
LONGEST := tests/browser/test_access.py tests/chapters/test_vae.py tests/chapters
test: $(READY)
	@echo "Running the quick tests"
	@$(PY) -m pytest -n auto -m "not slow" --faults --durations=15 notebooks tests

test-slow: $(READY)
	@echo "Running the slow tests: notebooks with their solutions, every explorer in a browser"
	@$(PY) -m pytest -n auto -m "slow and not timing" --faults --durations=15 $(LONGEST) tests
	@echo "Running those that measure milliseconds, alone"
	@$(PY) -m pytest -m timing tests/browser

notebooks: $(READY)
	@$(PY) -m vae_teach.building.build --again

# Whether it must be run is seen from its code, not from the time of its file.
notebooks/%.ipynb: FORCE $(READY)
	@$(PY) -m vae_teach.building.build $*
FORCE:

contents: $(READY)
	@$(PY) -m vae_teach.building.contents
	@$(PY) -m vae_teach.building.build

stamp: $(READY)
	@$(PY) -m vae_teach.building.stamp

site: $(READY)
	@rm -rf site && $(PY) -m vae_teach.building.site

weights: $(READY)
	@$(PY) -m vae_teach.pretrained.make

bench: $(READY)
	@$(PY) -c 'import lightning, pythae' 2>/dev/null || $(PY) -m pip install --quiet -e .[bench]
	@$(PY) benchmarks/run.py $(BENCH)

constraints: $(READY)
	@$(PY) binder/renew.py && git diff --stat -- binder

AUDIT := -m uv tool run --quiet pip-audit
audit: $(READY)
	@$(PY) $(AUDIT) --version >/dev/null 2>&1 || { echo "skipped: pip-audit cannot be installed here"; exit 0; }; \
	$(PY) -c 'import socket; socket.create_connection(("api.osv.dev", 443), 5)' 2>/dev/null || \
	  { echo "skipped: api.osv.dev, which lists vulnerabilities, cannot be reached"; exit 0; }; \
	$(PY) $(AUDIT) --vulnerability-service osv --disable-pip --no-deps --progress-spinner off -r binder/constraints.txt

lint: $(READY)
	@$(PY) -m ruff format --check . && $(PY) -m ruff check .

format: $(READY)
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

clean:
	rm -rf $(VENV)

# The stamp is touched last, so an install that was cut off is taken up again.
$(READY): pyproject.toml requirements.txt binder/constraints.txt $(shell find jupyter -type f)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed; make PYTHON=python3.12 names another one."; exit 1; }
	@echo "1/3  environment in $(VENV)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "2/3  PyTorch"
	@if grep -q "^torch==$$($(PY) -c 'import torch, torchvision; print(torch.__version__.partition("+")[0])' 2>/dev/null) " \
	  binder/constraints.txt; then echo "     already there"; \
	elif [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null 2>&1; then \
	  echo "     no NVIDIA driver here: trying the CPU build from PyTorch's own index (200 MB)"; \
	  $(PY) -c 'import urllib.request; urllib.request.urlopen("$(CPU_WHEELS)/torch/", timeout=5)' 2>/dev/null \
	  && grep '^torch' binder/constraints.txt >$(VENV)/torch.txt \
	  && $(PY) -m pip install --progress-bar on --index-url $(CPU_WHEELS) -c $(VENV)/torch.txt torch torchvision \
	  || echo "     that index cannot be reached: taking the default build (several GB)"; \
	fi
	@echo "3/3  the course and what it needs (some minutes at the first time)"
	@$(PY) -m pip install --disable-pip-version-check -r requirements.txt
	@$(PY) -c 'import torch, torchvision, jupyterlab, vae_teach, pytest'
	@cp -R jupyter/. $(VENV)  # Jupyter's settings for the course
	@touch $(READY)
	@echo "Ready: PyTorch $$($(PY) -c 'import torch; print(torch.__version__)') in $(VENV)"
