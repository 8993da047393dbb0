# make cloud     four disposable hosts, OpenStack, verified, an instance     (root; Debian 12 or later)
# make test      the unit tier: no root, no hosts
# make test-lab  the same cloud on real hosts, killed, rerun, watched; then the EL labs (root; 40 minutes)
# make test-smoke the smoke test after make cloud: killed half-way, then whole (root; a quarter of an hour)
# make test-el   the EL labs alone: stand-ins for OpenStack, real yum       (root; under 10 minutes)
# make test-zed  the second lab: zed on Debian 12, Linux bridges            (root)
# make test-lb   zed behind two load balancers, which die in turn           (root)
# make test-clusters MariaDB and RabbitMQ as clusters of three hosts, killed    (root; 10 minutes)
# make test-el-real EL 9 with zed's real programs in its packages           (root; under 15 minutes)
# make clean-lab removes the disposable hosts; what was downloaded is kept

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAB := lab/inventory.py
ZED := lab/zed/inventory.py
BALANCED := lab/lb/inventory.py
CLUSTERS := lab/clusters/inventory.py
EL_REAL := lab/el_real/inventory.py
OTHER_SECRETS := lab/single/secrets.toml lab/el/secrets.toml lab/el7/secrets.toml

.PHONY: cloud test test-lab test-smoke test-el test-zed test-lb test-clusters test-el-real lint clean-lab

$(VENV)/ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

lab/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets $(LAB)

lab/zed/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets $(ZED)

lab/single/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets lab/single/inventory.py
lab/lb/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets $(BALANCED)

lab/el/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets lab/el/inventory.py

lab/el7/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets lab/el7/inventory.py --release liberty

lab/el_real/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets $(EL_REAL)

lab/clusters/secrets.toml: | $(VENV)/ready
	$(BIN)/python -m cloud.secrets $(CLUSTERS)

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

test-lab: $(VENV)/ready lab/secrets.toml $(OTHER_SECRETS)
	$(BIN)/pytest tests/lab -v -s --ignore tests/lab/test_smoke.py --ignore tests/lab/test_zed.py \
		--ignore tests/lab/test_lb.py --ignore tests/lab/test_clusters.py --ignore tests/lab/test_el_real.py

test-smoke: $(VENV)/ready lab/secrets.toml
	$(BIN)/pytest tests/lab/test_smoke.py -v -s

test-el: $(VENV)/ready lab/el/secrets.toml lab/el7/secrets.toml
	$(BIN)/pytest tests/lab/test_el.py -v -s

test-zed: $(VENV)/ready lab/zed/secrets.toml
	$(BIN)/pytest tests/lab/test_zed.py -v -s

test-lb: $(VENV)/ready lab/lb/secrets.toml
	$(BIN)/pytest tests/lab/test_lb.py -v -s

test-el-real: $(VENV)/ready lab/el_real/secrets.toml
	$(BIN)/pytest tests/lab/test_el_real.py -v -s

test-clusters: $(VENV)/ready lab/clusters/secrets.toml
	$(BIN)/pytest tests/lab/test_clusters.py -v -s

clean-lab: $(VENV)/ready
	$(BIN)/python -m lab down
	$(BIN)/python -m lab down zed
	$(BIN)/python -m lab down single
	$(BIN)/python -m lab down lb
	$(BIN)/python -m lab down clusters
	$(BIN)/python -m lab down el
	$(BIN)/python -m lab down el7
	$(BIN)/python -m lab down el --real
