#!/usr/bin/env python3
"""unpack.py ARCHIVE FOLDER MEMBER[=NAME]...

Writes single members of a zip (wheel, jar) or tar.gz archive into FOLDER,
under NAME or the last part of the member's path. A member with * is a pattern
that stands for every file it matches.
"""
import fnmatch
import os
import shutil
import sys
import tarfile
import zipfile


def expanded(members, names, archive):
    for member in members:
        if "*" not in member:
            yield member
            continue
        found = fnmatch.filter(names(), member)
        if not found:
            sys.exit(f"{archive} has no member {member}")
        yield from found


def main(archive, folder, members):
    if zipfile.is_zipfile(archive):
        package = zipfile.ZipFile(archive)
        opened, names = package.open, package.namelist
    else:
        package = tarfile.open(archive, "r:gz")
        opened, names = package.extractfile, package.getnames
    with package:
        for member in expanded(members, names, archive):
            path, _, name = member.partition("=")
            target = os.path.join(folder, name or os.path.basename(path))
            try:
                source = opened(path)
            except KeyError:
                sys.exit(f"{archive} has no member {path}")
            with source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
