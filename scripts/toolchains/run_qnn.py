"""Q/DQ models of target `qnn` on QNN's HTP, which its package emulates on x86-64.

    check      nodes that are placed on the HTP as `check --target qnn` says; those of two EPs do not count
    on QNN     nodes of the file, conversions included, that are placed there
    top-1      images with the same class as onnxruntime's CPU kernels on the same file
    SQNR       of all outputs, to onnxruntime's CPU kernels without optimizations, in dB
"""

import common
import onnxruntime as ort
import onnxruntime_qnn as qnn

TOP1, CHECK = 98.0, 98.0


def session_of(path):
    devices = [d for d in ort.get_ep_devices() if d.ep_name == "QNNExecutionProvider"]
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    options.add_provider_for_devices(devices, {"backend_path": qnn.get_qnn_htp_path()})
    return ort.InferenceSession(str(path), options)


def placed(session):
    """By name of a node: whether it is on QNN; and how many of all are."""
    found, count, total = {}, 0, 0
    for part in session.get_provider_graph_assignment_info():
        for node in part.get_nodes():
            there = part.ep_name.startswith("QNN")
            found[node.name] = there
            count += there
            total += 1
    return found, f"{count}/{total}"


def measure(arguments, name, folder):
    path = folder / f"{name}.onnx"
    common.quantize(arguments, name, path, "--target", "qnn")
    session = session_of(path)
    truth = common.session_of(path, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    likeness = common.Likeness()
    for x in common.feeds_of(arguments, name):
        feed = {truth.get_inputs()[0].name: x}
        likeness.add(truth.run(None, feed), session.run(None, feed))
    said, fits = common.verdicts(arguments, path, "qnn")
    found, share = placed(session)
    agreement = common.Agreement(said, found)
    agreement.tell(said)
    top1 = not common.MODELS[name].top1 or likeness.top1 >= TOP1
    return {"model": name, "check": agreement.text(), "on QNN": share, "top-1 %": f"{likeness.top1:.1f}",
            "SQNR dB": f"{likeness.sqnr:.1f}", "kept": fits and top1 and agreement.percent >= CHECK}


arguments = common.arguments_of(__doc__)
ort.register_execution_provider_library("QNNExecutionProvider", qnn.get_library_path())
common.main(measure, ["model", "check", "on QNN", "top-1 %", "SQNR dB"], arguments)
