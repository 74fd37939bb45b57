"""No GPU is needed here: a stand-in says which providers there are, and which came of a session."""

import pytest

from enlighten_cli.errors import MissingDependencyError, ModelError, UsageError
from enlighten_cli.models import device as devices
from enlighten_cli.models import runtime as runtimes
from enlighten_cli.models import session as models
from enlighten_cli.models.device import Device
from enlighten_cli.models.providers import PROVIDERS, Provider
from enlighten_cli.models.session import Model

CPU, CUDA = (PROVIDERS[word].name for word in ("cpu", "cuda"))


class Session:
    """What ONNX Runtime gives back: the providers that really came, whatever was asked for."""

    def __init__(self, content, options, providers, came):
        self.content, self.options, self.asked, self.came = content, options, providers, came

    def get_providers(self):
        return self.came

    def get_modelmeta(self):
        class Meta:
            custom_metadata_map = {"width": "2"}  # noqa: RUF012

        return Meta()

    def get_inputs(self):
        class End:
            name, type, shape = "rgb", "tensor(float)", [1, 3, "h", "w"]

        return [End()]

    get_outputs = get_inputs


class Runtime:
    """ONNX Runtime, built for some providers, of which some work."""

    __version__ = "1.31.1"

    def __init__(self, built=(CUDA, CPU), working=(CUDA, CPU), refuses=None):
        self.built, self.working, self.refuses = list(built), list(working), refuses
        self.sessions, self.preloaded = [], 0

    class SessionOptions:
        pass

    def get_available_providers(self):
        return self.built

    def set_default_logger_severity(self, severity):
        pass

    def preload_dlls(self):
        self.preloaded += 1

    def InferenceSession(self, content, options, providers, enable_fallback):  # noqa: N802
        asked = [each if isinstance(each, str) else each[0] for each in providers]
        if self.refuses and CUDA in asked:
            raise RuntimeError(self.refuses)
        assert enable_fallback == 0
        self.sessions.append(Session(content, options, providers, [each for each in asked if each in self.working]))
        return self.sessions[-1]


@pytest.fixture
def use(monkeypatch):
    def use(runtime, installed=None):
        for module in (runtimes, models):
            monkeypatch.setattr(module, "import_runtime", lambda: runtime)
        monkeypatch.setattr(models, "installed_runtimes", lambda: installed or {"onnxruntime-gpu": "1.31.1"})
        return runtime

    return use


@pytest.mark.parametrize(
    ("text", "device"),
    [("auto", Device()), ("cpu", Device("cpu")), ("cuda", Device("cuda")), ("cuda:3", Device("cuda", 3))],
)
def test_the_words_of_a_device(text, device):
    assert Device.parse(text) == device
    assert str(device) == text


@pytest.mark.parametrize("text", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "auto:1", "CUDA"])
def test_other_words_are_refused(text):
    with pytest.raises(UsageError, match=r"must be auto, cpu, .*cuda:N"):
        Device.parse(text)


def test_cuda_where_it_works(tiny_model, use):
    runtime = use(Runtime())
    model = Model(tiny_model, device=Device("cuda", 1))
    assert (model.provider, model.warning, runtime.preloaded) == (CUDA, "", 1)
    (session,) = runtime.sessions
    name, options = session.asked[0]
    assert name == CUDA
    assert options["device_id"] == "1"
    assert session.content == tiny_model.read_bytes()


@pytest.mark.parametrize("kind", ["auto", "cuda"])
def test_cuda_takes_the_fp16_form_beside_the_model(tmp_path, use, kind):
    runtime = use(Runtime())
    (tmp_path / "night.onnx").write_bytes(b"full")
    (tmp_path / "night-fp16.onnx").write_bytes(b"half")
    Model(tmp_path / "night.onnx", device=Device(kind))
    Model(tmp_path / "night.onnx", device=Device("cpu"))
    assert [session.content for session in runtime.sessions] == [b"half", b"full"]


def test_auto_is_the_cpu_where_nothing_else_is_installed(tiny_model, use):
    runtime = use(Runtime(built=[CPU]), {"onnxruntime": "1.31.1"})
    model = Model(tiny_model)
    assert (model.provider, model.warning, runtime.preloaded) == (CPU, "", 0)


def test_cpu_asks_for_nothing_else(tiny_model, use):
    runtime = use(Runtime())
    Model(tiny_model, device=Device("cpu"))
    assert runtime.sessions[0].asked == [CPU]
    assert runtime.preloaded == 0


CASES = [
    (Runtime(built=[CPU]), {"onnxruntime": "1.31.1"}, "built without CUDA; run: pip uninstall -y onnxruntime &&"),
    (Runtime(working=[CPU]), None, "CUDA's libraries or a GPU are missing"),
    (Runtime(refuses="CUDA failure 101: invalid device ordinal"), None, "invalid device ordinal"),
    (Runtime(), {"onnxruntime": "1.31.1", "onnxruntime-gpu": "1.31.1"}, "are both installed; run: pip uninstall -y"),
]  # fmt: skip


@pytest.mark.parametrize(("runtime", "installed", "cause"), CASES)
def test_cuda_that_cannot_be_had_is_an_error_with_the_command(tiny_model, use, runtime, installed, cause):
    use(runtime, installed)
    with pytest.raises(MissingDependencyError) as caught:
        Model(tiny_model, device=Device("cuda"))
    message = str(caught.value)
    assert message.startswith("cuda is not available: ")
    assert cause in message
    assert "\n" not in message
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(("runtime", "installed", "cause"), CASES[1:])
def test_auto_goes_on_with_the_cpu_and_says_why(tiny_model, use, runtime, installed, cause):
    use(runtime, installed)
    model = Model(tiny_model)
    assert model.provider == CPU or runtime.working == [CUDA, CPU]
    assert runtime.sessions[-1].asked == [CPU]
    assert cause in model.warning
    assert model.warning.startswith("CUDA is not available, so the CPU computes: ")
    assert "\n" not in model.warning


def test_a_model_that_is_none_is_not_blamed_on_cuda(tmp_path, use):
    class Strict(Runtime):
        def InferenceSession(self, *arguments, **options):  # noqa: N802
            raise RuntimeError("no protobuf")

    use(Strict())
    (tmp_path / "bad.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match=r"bad\.onnx: not a model"):
        Model(tmp_path / "bad.onnx")


def test_a_further_provider_is_one_row_of_the_table(tiny_model, use, monkeypatch):
    row = Provider("npu", "NewExecutionProvider", "the NPU", "onnxruntime-new", "onnxruntime-new", needs="none; see: x")
    monkeypatch.setitem(PROVIDERS, "npu", row)
    monkeypatch.setattr(devices, "WORDS", ("auto", *PROVIDERS))
    use(Runtime(built=[row.name, CPU], working=[row.name, CPU]), {"onnxruntime-new": "1"})
    assert Model(tiny_model, device=Device.parse("npu")).provider == row.name
    with pytest.raises(UsageError):
        Device.parse("npu:1")
    use(Runtime(built=[CPU]), {"onnxruntime": "1"})
    with pytest.raises(MissingDependencyError, match=r"without the NPU; run: .* pip install onnxruntime-new"):
        Model(tiny_model, device=Device("npu"))


def test_this_installation_has_one_runtime():
    assert len(runtimes.installed_runtimes()) == 1
