"""What stands in for OpenStack's programs on the lab's EL hosts. Python 3.9, pymysql and amqp.

It reads the real configuration files, logs in to the real MariaDB, RabbitMQ, memcached and (stub) keystone
with what they say, listens where they say, and reports its services up only when all of that worked: a wrong
option is to show as it would with the real programs. It makes no network, image, volume or instance; it has
one version of each API, no policy but "admin or not", no quotas, no TLS, and it checks no option that nothing
here depends on.
"""
