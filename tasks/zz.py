from tasks.context import cloud
print(cloud)
