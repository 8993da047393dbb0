#!/bin/sh
# Runs packstack as a unit of its own, openstack-packstack, which no lost connection ends. The deploy installs
# and starts it; it follows the log, and looks at what is in the folder:
#
#   given     the answers of a run that has begun; without the unit it was cut off, by a power cut or a kill
#   failed    the same after a run that failed
#   done      the same of the last run that succeeded
#   resolved  the answers as packstack wrote them back, every password in them
#
# Arguments: the answer file, the log.
umask 077
: >"$2" # an earlier run's
folder=/var/lib/openstack-packstack
mkdir -p $folder
cd $folder || exit 1
# Python keeps what it prints to a file until there is much of it.
export HOME=/root PYTHONUNBUFFERED=1

# Names change only after their content is on the disk.
cp "$1" new && sync && mv -f new given && rm -f failed && sync || exit 1

# packstack writes the file anew that it is given: options in its own order, every placeholder replaced by a
# password that it makes. So it is given a copy, and the passwords that it made before, or each run would make
# others.
if [ -s resolved ]; then
    awk -F= '
        FILENAME == "resolved" { if ($1 ~ /^[A-Z]/) made[$1] = $0; next }
        $2 == "PW_PLACEHOLDER" && $1 in made { print made[$1]; next }
        { print }' resolved given >answers
else
    cp given answers
fi
packstack --answer-file="$folder/answers" >"$2" 2>&1 </dev/null
status=$?
[ ! -s answers ] || mv -f answers resolved
sync
if [ $status -eq 0 ]; then mv -f given done; else mv -f given failed; fi
sync
exit $status
