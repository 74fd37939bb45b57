import subprocess
import sys

import torch
from conftest import write_photos
from torch import nn

from enlighten_cli.training.checkpoint import read_tensors
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.batches import batches
from enlighten_cli.training.data.dataset import UnpairedPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.distributed import Group, joined
from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions

SCRIPT = """
import sys
from pathlib import Path
import torch
from enlighten_cli.training.checkpoint import read_tensors
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.distributed import joined
from enlighten_cli.training.loop import Watch, train
from enlighten_cli.training.networks.vgg import VggFeatures
from enlighten_cli.training.recipe import config_from, read_options
from enlighten_cli.training.state import TrainState

config = config_from(read_options(Path("config.json")), "config")
features = VggFeatures(read_tensors(Path(sys.argv[1])).tensors)
with joined(torch.device("cpu")) as group:
    state = TrainState(config, Descent(torch.device("cpu"), config.precision, group), features)
    asked = lambda: group.rank == 1 and state.images_seen >= 8  # noqa: E731
    complete = train(state, PhotoFolders(config), Path("run"), 0, Watch(stopping=asked))
    assert complete is False, complete
    state.save(Path(f"rank{group.rank}.safetensors"))
"""


def config(tmp_path):
    low = write_photos(tmp_path / "low", 3, exposure=0.1)
    normal = write_photos(tmp_path / "normal", 3, exposure=1.0)
    options = EnlightenGanOptions(discriminator_width=2, patches=2, patch_px=16, warm_start_images=4, sfp_px=16)
    return TrainConfig(options, low=str(low), normal=str(normal), width=2, images=20, crop_px=32, batch=4, lr=1e-3)


def test_alone_nothing_is_shared():
    with joined(torch.device("cpu")) as group:
        assert (group.rank, group.size, group.is_main) == (0, 1, True)
        layer = nn.Linear(2, 1)
        layer(torch.ones(1, 2)).sum().backward()
        before = layer.weight.grad.clone()
        group.average_gradients(layer.parameters())
        assert torch.equal(layer.weight.grad, before)
        assert group.any(True, torch.device("cpu"))
        assert not group.any(False, torch.device("cpu"))


def test_parts_of_a_batch_make_the_batch(tmp_path):
    shared = config(tmp_path)
    photos = UnpairedPhotos(shared, PhotoFolders(shared))
    whole = list(batches(photos, shared, 4, 20, 0, Group()))
    parts = [list(batches(photos, shared, 4, 20, 0, Group(rank, 2))) for rank in range(2)]
    assert len(whole) == len(parts[0]) == len(parts[1]) == 4
    for batch, first, second in zip(whole, *parts, strict=True):
        for together, one, other in zip(batch, first, second, strict=True):
            assert torch.equal(together, torch.cat([one, other]))


def test_processes_take_the_same_steps_and_stop_together(tmp_path, vgg_file):
    """Two that see different crops end with one generator; asked to stop, though only the second is, both do."""
    (tmp_path / "config.json").write_text(config(tmp_path).to_json())
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "run").mkdir()
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
            "script.py", str(vgg_file),
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (read_tensors(tmp_path / f"rank{rank}.safetensors") for rank in range(2))
    assert first.metadata["images_seen"] == second.metadata["images_seen"] == "8"
    for name, tensor in first.tensors.items():
        if "running_" in name:
            continue  # each process has statistics of its own crops; the first one's are kept
        torch.testing.assert_close(tensor, second.tensors[name], rtol=0, atol=0, msg=name)
    means = [name for name in first.tensors if name.startswith("generator.") and name.endswith("running_mean")]
    assert any(not torch.equal(first.tensors[name], second.tensors[name]) for name in means)
