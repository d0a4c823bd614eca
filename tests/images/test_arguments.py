"""From what stands on a command line to photos."""

from __future__ import annotations

from pathlib import Path

import plate_photos

from andon.images import expand


def test_one_photo_in_several_spellings_is_one_photo(tmp_path: Path) -> None:
    folder = tmp_path / "few"
    photo = plate_photos.write_parts(folder, range(1))[0]
    (tmp_path / "link").symlink_to(folder)
    spellings = [str(photo), f"{folder}/../few/{photo.name}", str(tmp_path / "link"), f"{tmp_path}/link/*.png"]
    assert expand(spellings).photos == (photo,)
