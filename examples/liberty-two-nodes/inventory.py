"""Liberty on two CentOS 7 hosts, as the original install notes build it: the second one stores, too."""

controller = [("linux-node1.oldboyedu.com", {"ssh_hostname": "192.168.56.11"})]
compute = [("linux-node2.oldboyedu.com", {"ssh_hostname": "192.168.56.12"})]
storage = [("linux-node2.oldboyedu.com", {"volume_devices": ["/dev/sdb"]})]
