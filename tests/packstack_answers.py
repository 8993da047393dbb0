"""Write an answer file with packstack itself: ``packstack_answers.py ADDRESS FILE [PACKSTACK'S OPTIONS]``.

packstack asks port 22 of every host, wants an SSH key, and leaves folders in /var/tmp. Nothing of that is
the matter here: ADDRESS is taken for this machine's, nobody is asked, and all it leaves goes when it ends.
"""

import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

with tempfile.TemporaryDirectory() as home:
    os.environ["HOME"] = home
    key = Path(home, ".ssh", "id_rsa.pub")
    key.parent.mkdir()
    key.write_text("ssh-rsa AAAAB3NzaC1yc2E= operator\n")

    # Only to find this machine's address; it has no wheel for today's Python.
    sys.modules["netifaces"] = ModuleType("netifaces")

    import packstack.installer

    spec = importlib.util.find_spec("packstack.installer.basedefs")
    basedefs = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = packstack.installer.basedefs = basedefs
    source = Path(spec.origin).read_text().replace("/var/tmp/packstack", f"{home}/var")
    exec(compile(source, spec.origin, "exec"), vars(basedefs))

    from packstack.installer import utils, validators

    address, file, *options = sys.argv[1:]
    validators.touch_port = lambda host, port: None
    utils.get_localhost_ip = lambda: address

    from packstack.installer import run_setup

    sys.argv = ["packstack", f"--gen-answer-file={file}", *options]
    run_setup.main()
