import hashlib

import pytest
from visionkit import manifest
from visionkit.errors import ModelError

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
TABLE = f"""
[holds]
service = "detector"
version = "0.1.0"
date = 2026-11-20
input = "images float32"
[holds.files.network]
path = "holds.onnx"
sha256 = "{DIGEST}"
[holds.scores]
dev_box_ap50 = 0.61
"""


@pytest.fixture
def models_dir(tmp_path):
    (tmp_path / "manifest.toml").write_text(TABLE)
    (tmp_path / "holds.onnx").write_bytes(CONTENT)
    return tmp_path


def test_an_empty_manifest_lists_no_model(tmp_path):
    (tmp_path / "manifest.toml").write_text("")
    listed = manifest.load(tmp_path)
    assert listed.models == {}
    with pytest.raises(ModelError, match="it lists none"):
        listed.model("holds")


def test_an_entry_says_what_the_manifest_says(models_dir):
    entry = manifest.load(models_dir).model("holds")
    assert (entry.name, entry.version, entry.service) == ("holds", "0.1.0", "detector")
    assert entry.files["network"].sha256 == DIGEST


def test_a_file_with_the_listed_digest_is_handed_out(models_dir):
    assert manifest.load(models_dir).model("holds").verified_path("network") == models_dir / "holds.onnx"


def test_a_changed_file_is_refused_with_both_digests(models_dir):
    (models_dir / "holds.onnx").write_bytes(b"other weights")
    with pytest.raises(ModelError, match=f"sha256 {hashlib.sha256(b'other weights').hexdigest()}.*{DIGEST}"):
        manifest.load(models_dir).model("holds").verified_path("network")


def test_a_missing_file_is_refused(models_dir):
    (models_dir / "holds.onnx").unlink()
    with pytest.raises(ModelError, match=r"holds.onnx cannot be read: No such file"):
        manifest.load(models_dir).model("holds").verified_path("network")


def test_an_unknown_role_or_model_is_named(models_dir):
    listed = manifest.load(models_dir)
    with pytest.raises(ModelError, match="no file 'palette'"):
        listed.model("holds").verified_path("palette")
    with pytest.raises(ModelError, match="no model 'colors' in the manifest; it lists holds"):
        listed.model("colors")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file"),
        (b"[holds", "is not a model manifest"),
        (b"\xff\xfe", "is not a model manifest"),
        (b'[holds]\nservice = "detector"', "missing required field `version`"),
        (TABLE.replace('"0.1.0"', "0.1").encode(), "Expected `str`, got `float`"),
    ],
)
def test_a_manifest_that_cannot_be_used_stops_the_start_with_one_line(tmp_path, content, complaint):
    if content is not None:
        (tmp_path / "manifest.toml").write_bytes(content)
    with pytest.raises(ModelError, match=complaint) as raised:
        manifest.load(tmp_path)
    assert "\n" not in str(raised.value)
