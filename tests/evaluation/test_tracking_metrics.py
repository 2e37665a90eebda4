"""Tracking metrics against the figures of py-motmetrics and trackeval (`benchmarks/oracles`)."""

import json
from pathlib import Path

import pytest

from mien.errors import BadInputError, UsageError
from mien.evaluation.motchallenge import overlaps, read_results, read_truth
from mien.evaluation.tracking import Clear, Hota, Identity, clear, evaluate, hota, identity

ORACLES = Path(__file__).parents[2] / "benchmarks" / "oracles"
SEQUENCES = json.loads((ORACLES / "sequences.json").read_text())
TRACKEVAL = json.loads((ORACLES / "trackeval.json").read_text())["figures"]
MOTMETRICS = json.loads((ORACLES / "motmetrics.json").read_text())["figures"]
FIXTURES = "mot/motmetrics_fixtures/motmetrics/data"


def counts(truth: Path, results: Path) -> tuple[Clear, Identity, Hota]:
    sequence = overlaps(read_truth(truth), read_results(results))
    return clear(sequence), identity(sequence), hota(sequence)


def motmetrics_row(clear_counts: Clear, identity_counts: Identity) -> dict[str, float]:
    return {
        "idf1": identity_counts.idf1,
        "idp": identity_counts.idp,
        "idr": identity_counts.idr,
        "recall": clear_counts.recall,
        "precision": clear_counts.precision,
        "num_unique_objects": clear_counts.mostly_tracked + clear_counts.partly_tracked + clear_counts.mostly_lost,
        "mostly_tracked": clear_counts.mostly_tracked,
        "partially_tracked": clear_counts.partly_tracked,
        "mostly_lost": clear_counts.mostly_lost,
        "num_false_positives": clear_counts.false_positives,
        "num_misses": clear_counts.misses,
        "num_switches": clear_counts.switches,
        "num_fragmentations": clear_counts.fragmentations,
        "mota": clear_counts.mota,
        "motp": clear_counts.motp,
    }


@pytest.fixture
def files(tmp_path):
    """Truth and result file of a sequence of `sequences.json`."""

    def write(name: str) -> tuple[Path, Path]:
        paths = tmp_path / f"{name}-truth.txt", tmp_path / f"{name}-results.txt"
        for path, kind in zip(paths, ("truth", "results"), strict=True):
            path.write_text("\n".join(SEQUENCES[name][kind]))
        return paths

    return write


@pytest.mark.parametrize("name", SEQUENCES)
def test_hota_and_identity_equal_trackeval(name, files):
    _, identity_counts, hota_sums = counts(*files(name))
    expected = TRACKEVAL[name]
    assert [hota_sums.hota, hota_sums.deta, hota_sums.assa] == pytest.approx(
        [expected["hota"], expected["deta"], expected["assa"]], abs=1e-9
    )
    assert [identity_counts.idf1, identity_counts.idp, identity_counts.idr] == pytest.approx(
        [expected["idf1"], expected["idp"], expected["idr"]], abs=1e-9
    )


@pytest.mark.parametrize("name", [name for name in MOTMETRICS if name != "OVERALL"])
def test_clear_and_identity_equal_motmetrics(name, files):
    clear_counts, identity_counts, _ = counts(*files(name))
    expected = {key: 0.0 if value is None else value for key, value in MOTMETRICS[name].items()}
    assert motmetrics_row(clear_counts, identity_counts) == pytest.approx(expected, abs=1e-9)


def test_sums_over_sequences_equal_motmetrics(files):
    rows = [counts(*files(name)) for name in MOTMETRICS if name != "OVERALL"]
    clear_counts, identity_counts = rows[0][:2]
    for other_clear, other_identity, _ in rows[1:]:
        clear_counts, identity_counts = clear_counts + other_clear, identity_counts + other_identity
    row, expected = motmetrics_row(clear_counts, identity_counts), dict(MOTMETRICS["OVERALL"])
    del row["motp"], expected["motp"]  # motmetrics has none where one sequence has no hit
    assert row == pytest.approx(expected, abs=1e-9)


def test_fixtures_equal_the_published_figures(data):
    published = [line.split("\t") for line in data("mot/motmetrics_fixtures/EXPECTED.tsv").read_text().splitlines()[1:]]
    columns = published[0][1:]
    expected = {row[0]: dict(zip(columns, map(float, row[1:]), strict=True)) for row in published[1:]}
    folder = data(FIXTURES)
    rows = {
        name: counts(folder / name / "gt.txt", folder / name / "test.txt") for name in expected if name != "OVERALL"
    }
    campus, stadtmitte = rows["TUD-Campus"], rows["TUD-Stadtmitte"]
    rows["OVERALL"] = (campus[0] + stadtmitte[0], campus[1] + stadtmitte[1], campus[2] + stadtmitte[2])
    for name, row in rows.items():
        assert motmetrics_row(*row[:2]) == pytest.approx(expected[name], abs=1e-6), name


def test_evaluate_equals_trackeval_on_all_sequences_together(data, files):
    folder = data(FIXTURES)
    pairs = [files(name) for name in SEQUENCES]
    pairs += [(folder / name / "gt.txt", folder / name / "test.txt") for name in ("TUD-Campus", "TUD-Stadtmitte")]
    result = evaluate([truth for truth, _ in pairs], [results for _, results in pairs])
    expected = TRACKEVAL["COMBINED"]
    for key in ("hota", "deta", "assa", "idf1"):
        assert result[key] == pytest.approx(expected[key], abs=1e-9), key
    for row, name in zip(result["sequences"][-2:], ("TUD-Campus", "TUD-Stadtmitte"), strict=True):
        assert [row[key] for key in ("hota", "deta", "assa")] == pytest.approx(
            [TRACKEVAL[name][key] for key in ("hota", "deta", "assa")], abs=1e-9
        )
        assert (row["fp"], row["fn"]) == (TRACKEVAL[name]["clear"]["CLR_FP"], TRACKEVAL[name]["clear"]["CLR_FN"])


def test_evaluate_gives_the_contracts_keys(files):
    truth, results = files("plain")
    row = evaluate([truth], [results])
    assert set(row) == {"hota", "deta", "assa", "mota", "idf1", "id_switches", "fp", "fn", "sequences"}
    assert row["sequences"] == [
        {"truth": str(truth), "result": str(results), **{key: row[key] for key in row if key != "sequences"}}
    ]
    json.dumps(row)


def test_evaluate_wants_one_result_file_a_truth_file(files):
    truth, results = files("plain")
    for truths, founds in (([], []), ([truth], [results, results])):
        with pytest.raises(UsageError, match="ground-truth"):
            evaluate(truths, founds)


def test_nothing_at_all_is_zero(tmp_path):
    for name in ("truth.txt", "results.txt"):
        (tmp_path / name).write_text("\n")
    row = evaluate([tmp_path / "truth.txt"], [tmp_path / "results.txt"])
    assert {row[key] for key in ("hota", "deta", "assa", "mota", "idf1", "id_switches", "fp", "fn")} == {0}


def test_a_pair_stays_while_it_overlaps_though_another_is_closer(tmp_path):
    truth, results = tmp_path / "truth.txt", tmp_path / "results.txt"
    truth.write_text("1,1,0,0,10,10,1,-1,-1,-1\n2,1,0,0,10,10,1,-1,-1,-1\n3,1,0,0,10,10,1,-1,-1,-1\n")
    results.write_text("1,5,0,0,10,10,1\n2,5,2,0,10,10,1\n2,6,0,0,10,10,1\n3,6,0,0,10,10,1\n")
    clear_counts, _, _ = counts(truth, results)
    assert (clear_counts.switches, clear_counts.false_positives) == (1, 1)
    assert clear_counts.distance == pytest.approx(1 - 8 / 12)
    with pytest.raises(BadInputError):
        read_results(tmp_path / "missing.txt")


def test_an_overlap_of_exactly_half_is_enough(tmp_path):
    truth, results = tmp_path / "truth.txt", tmp_path / "results.txt"
    truth.write_text("1,1,0,0,10,10,1,-1,-1,-1\n")
    results.write_text("1,1,0,0,10,5,1\n")
    clear_counts, identity_counts, hota_sums = counts(truth, results)
    assert (clear_counts.hits, identity_counts.true_positives) == (1, 1)
    assert hota_sums.true_positives.tolist() == [1] * 10 + [0] * 9
