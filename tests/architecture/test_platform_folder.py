"""`platform/` is a source root and must never become a package: `import platform` stays the standard library's."""

import platform
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "platform"
DEPENDENCIES = {
    "celery",
    "redis",
    "django",
    "requests",
    "aiohttp",
    "cryptography",
    "crypto",
    "csp",
    "axes",
    "idna",
    "environ",
}


def test_import_platform_is_the_standard_library() -> None:
    assert Path(platform.__file__).is_relative_to(sysconfig.get_path("stdlib"))


def test_the_folder_holds_packages_and_nothing_else() -> None:
    entries = [entry for entry in FOLDER.iterdir() if entry.name != "__pycache__"]

    assert entries
    assert [entry.name for entry in entries if not (entry / "__init__.py").is_file()] == []


def test_no_package_takes_the_name_of_the_standard_library_or_of_a_dependency() -> None:
    names = {entry.name for entry in FOLDER.iterdir() if entry.is_dir()}

    assert names & set(sys.stdlib_module_names) == set()
    assert names & DEPENDENCIES == set()


def test_every_test_folder_is_a_package_so_that_none_answers_to_a_rooms_name() -> None:
    folders = {file.parent for file in (ROOT / "tests").rglob("*.py")}

    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
