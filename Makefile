# make cloud         four disposable hosts, OpenStack, verified, an instance         (root; Debian 12 or later)
# make test          the unit tier: no root, no hosts
# make test-lab      the same cloud on real hosts, killed, rerun, watched; the EL labs (root; 50 minutes)
# make test-smoke    the smoke test after make cloud: killed half-way, then whole    (root; a quarter of an hour)
# make test-el       the EL labs alone: stand-ins for OpenStack, real yum            (root; under 10 minutes)
# make test-zed      the second lab: zed on Debian 12, Linux bridges                 (root)
# make test-lb       zed behind two load balancers, which die in turn                (root)
# make test-clusters MariaDB and RabbitMQ as clusters of three hosts, killed         (root; 10 minutes)
# make test-ha       three controllers behind two load balancers, each dies          (root; an hour)
# make test-el-real  EL 9 with zed's real programs in its packages                   (root; under 15 minutes)
# make test-answers  packstack's answer files, translated and deployed               (root)
# make clean-lab     removes the disposable hosts; what was downloaded is kept

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAB := lab/inventory.py
# Each has a lab of its own, or needs long.
APART := smoke zed lb clusters ha el_real answers
OTHER_LABS := zed single lb clusters ha el el7

.PHONY: cloud lint test test-lab test-el test-el-real $(filter-out test-el_real, $(APART:%=test-%)) clean-lab
.PRECIOUS: lab/%/secrets.toml

$(VENV)/ready: requirements.txt requirements-dev.txt requirements-packstack.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-packstack.txt
	touch $@

lab/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets $(LAB)

lab/el7/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets lab/el7/inventory.py --release liberty

lab/%/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets lab/$*/inventory.py

cloud: $(VENV)/ready lab/secrets.toml
	$(BIN)/python -m lab up
	$(BIN)/pyinfra $(LAB) deploy.py -y
	$(BIN)/pyinfra $(LAB) tasks/resources.py -y
	$(BIN)/pyinfra $(LAB) tasks/verify.py -y

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: lint
	$(BIN)/pytest

test-lab: $(VENV)/ready lab/secrets.toml lab/single/secrets.toml lab/el/secrets.toml lab/el7/secrets.toml
	$(BIN)/pytest tests/lab -v -s $(APART:%=--ignore tests/lab/test_%.py)

test-smoke: $(VENV)/ready lab/secrets.toml
	$(BIN)/pytest tests/lab/test_smoke.py -v -s

test-el: $(VENV)/ready lab/el/secrets.toml lab/el7/secrets.toml
	$(BIN)/pytest tests/lab/test_el.py -v -s

test-el-real: $(VENV)/ready lab/el_real/secrets.toml
	$(BIN)/pytest tests/lab/test_el_real.py -v -s

test-answers: $(VENV)/ready
	$(BIN)/pytest tests/lab/test_answers.py -v -s

$(filter-out test-smoke test-el_real test-answers, $(APART:%=test-%)): test-%: $(VENV)/ready lab/%/secrets.toml
	$(BIN)/pytest tests/lab/test_$*.py -v -s

clean-lab: $(VENV)/ready
	$(BIN)/python -m lab down
	for lab in $(OTHER_LABS); do $(BIN)/python -m lab down $$lab || exit 1; done
	$(BIN)/python -m lab down el --real
