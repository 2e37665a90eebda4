import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.identity.index import FaceIndex, Hit


def brute_force(rows, keys, groups, probe, top, threshold):
    """Every row scored in float64 on its own, the best of each group, best first, equal ones by key."""
    best = {}
    scores = (np.reshape(rows, (-1, len(probe))) * probe.astype(np.float64)).sum(axis=1).tolist()
    for score, key, group in zip(scores, keys, groups, strict=True):
        if score >= threshold:
            best[group] = min(best.get(group, (np.inf, 0)), (-score, key))
    ranked = sorted((score, key, group) for group, (score, key) in best.items())
    return [Hit(int(key), int(group), -score) for score, key, group in ranked[:top]]


def unit_rows(generator, count, dimension):
    rows = generator.standard_normal((count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def filled(rows, keys=None, groups=None):
    index = FaceIndex(rows.shape[1])
    keys = np.arange(len(rows)) if keys is None else keys
    index.add(rows, keys, keys if groups is None else groups)
    return index


def nearly_equal(generator):
    """Rows around one direction, closer to each other than 8 bits can tell."""
    rows = unit_rows(generator, 1, 48) + 1e-4 * generator.standard_normal((6000, 48))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def with_spikes(generator):
    """Rows with all their length in one element, among rows spread evenly: the coarsest rounding there is."""
    rows = unit_rows(generator, 3000, 48)
    rows[::500] = np.eye(48, dtype=np.float32)[:6]
    return rows


def copies(generator):
    return np.repeat(unit_rows(generator, 5, 48), 900, axis=0)


def of_any_length(generator):
    return unit_rows(generator, 3000, 48) * np.float32(10) ** generator.integers(-30, 30, (3000, 1)).astype(np.float32)


@pytest.mark.parametrize("make", [nearly_equal, with_spikes, copies, of_any_length])
@pytest.mark.parametrize("top", [1, 5])
@pytest.mark.parametrize("threshold", [-np.inf, 0.3])
def test_answers_are_those_of_brute_force_for_hard_rows(make, top, threshold):
    generator = np.random.default_rng(1)
    rows = make(generator)
    keys = generator.permutation(len(rows)) + 10
    groups = generator.integers(0, 700, len(rows))
    index = filled(rows, keys, groups)
    probes = np.concatenate([rows[[0, 7]], unit_rows(generator, 2, 48), np.zeros((1, 48), np.float32)])
    for probe, hits in zip(probes, index.search(probes, top, threshold), strict=True):
        assert hits == brute_force(rows, keys, groups, probe, top, threshold)


@pytest.mark.parametrize("make", [nearly_equal, with_spikes, copies, of_any_length])
@pytest.mark.parametrize(("top", "threshold"), [(1, -np.inf), (40, 0.3)])
def test_many_probes_get_the_same_answers(make, top, threshold):
    generator = np.random.default_rng(8)
    rows = np.concatenate([make(generator) for _ in range(6)])  # more than one block of the product
    keys = generator.permutation(len(rows)) + 10
    groups = generator.integers(0, 700, len(rows))
    index = filled(rows, keys, groups)
    probes = np.concatenate([rows[::900][:14], unit_rows(generator, 6, 48), np.zeros((1, 48), np.float32)])
    for probe, hits in zip(probes, index.search(probes, top, threshold), strict=True):
        assert hits == brute_force(rows, keys, groups, probe, top, threshold)


def test_nobody_off_the_shortlist_of_a_product_exceeds_its_bound():
    generator = np.random.default_rng(9)
    for make in (nearly_equal, with_spikes, copies):
        rows = make(generator)
        index = filled(rows)
        index._refresh_codes()
        probes = np.concatenate([rows[:5], unit_rows(generator, 5, 48)])
        exact = probes.astype(np.float64) @ rows.astype(np.float64).T
        lengths = [np.linalg.norm(each.astype(np.float64), axis=1) for each in (probes, rows)]
        bounds, places = index._by_product(probes, 32, lengths[0] * lengths[1].max())
        np.put_along_axis(exact, places, -np.inf, axis=1)
        assert places.shape == (10, 32)
        assert (exact.max(axis=1) <= bounds).all()


def test_one_probe_in_20000_faces_is_decided_by_the_scan(monkeypatch):
    generator = np.random.default_rng(2)
    rows = unit_rows(generator, 20_000, 256)
    index = filled(rows)
    probes = np.concatenate([rows[:4] + 0.02 * unit_rows(generator, 4, 256), unit_rows(generator, 4, 256)])
    expected = [brute_force(rows, range(20_000), range(20_000), probe, 1, -np.inf) for probe in probes]

    def forbidden(probe, rows=None):
        assert rows is not None, "every row was scored exactly"
        return exact(probe, rows)

    exact = index._scores
    monkeypatch.setattr(index, "_scores", forbidden)
    assert index.search(probes, top=1) == expected


def test_no_rough_score_is_off_by_more_than_the_bound():
    generator = np.random.default_rng(3)
    for rows in (nearly_equal(generator), with_spikes(generator), copies(generator)):
        index = filled(rows)
        index._refresh_codes()
        probes = np.concatenate([rows[:5], unit_rows(generator, 5, 48), np.eye(48, dtype=np.float32)[:3]])
        codes, steps, slack = index._rounded(probes)
        rough, places = index._scan(codes, len(rows))
        exact = probes.astype(np.float64) @ rows.astype(np.float64).T
        errors = np.abs(rough * steps[:, None] - np.take_along_axis(exact, places, axis=1))
        assert (errors <= slack[:, None]).all()


def test_the_scan_of_codes_is_exact_at_their_extremes():
    generator = np.random.default_rng(4)
    extremes = generator.choice([-127.0, -1, 0, 1, 127], (2000, 512)).astype(np.float32)
    extremes[0], extremes[1] = 127, -127
    index = filled(extremes)
    index._forget_codes(range_=127.0)
    index._refresh_codes()
    rough, places = index._scan(extremes[:9], 2000)
    expected = extremes[:9].astype(np.int64) @ extremes.astype(np.int64).T
    assert np.array_equal(rough, np.take_along_axis(expected, places, axis=1))


def test_answers_do_not_depend_on_threads_order_or_company():
    generator = np.random.default_rng(5)
    rows = unit_rows(generator, 5000, 64)
    probes = unit_rows(generator, 20, 64)
    answers = filled(rows).search(probes, 5)
    order = generator.permutation(5000)
    shuffled = filled(rows[order], keys=order)
    threads = faiss.omp_get_max_threads()
    try:
        for count in (1, 2, 4):
            faiss.omp_set_num_threads(count)
            assert shuffled.search(probes, 5) == answers
            assert [shuffled.search(probe[None], 5)[0] for probe in probes] == answers
            assert faiss.omp_get_max_threads() == count
    finally:
        faiss.omp_set_num_threads(threads)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 16]))
def test_any_sequence_of_additions_removals_and_searches_matches_brute_force(seed, dimension):
    generator = np.random.default_rng(seed)
    index, held, next_key = FaceIndex(dimension), {}, 0
    for _ in range(12):
        match generator.integers(3):
            case 0:
                fresh = unit_rows(generator, int(generator.integers(1, 1500)), dimension)
                keys = range(next_key, next_key + len(fresh))
                groups = generator.integers(0, 40, len(fresh)).tolist()
                index.add(fresh, keys, groups)
                held.update(zip(keys, zip(fresh, groups, strict=True), strict=True))
                next_key += len(fresh)
            case 1 if held:
                some = generator.choice(list(held), int(generator.integers(1, len(held) + 1)), replace=False)
                index.remove(some)
                held = {key: value for key, value in held.items() if key not in set(some.tolist())}
            case _:
                probe = unit_rows(generator, 1, dimension)
                rows, groups = [row for row, _ in held.values()], [group for _, group in held.values()]
                expected = brute_force(rows, held, groups, probe[0], 3, -np.inf)
                assert index.search(probe, 3) == [expected]
                best = index.best_in_group(probe[0], 7)
                assert ([best] if best else []) == [
                    hit for hit in brute_force(rows, held, groups, probe[0], 40, -np.inf) if hit.group == 7
                ]
        assert len(index) == len(held)
        assert sorted(index.keys.tolist()) == sorted(held)


def test_removed_rows_are_wiped_from_memory():
    rows = unit_rows(np.random.default_rng(6), 2000, 32)
    index = filled(rows)
    index.search(rows[:1], 1)
    index.remove([5, 1999, 0])
    assert not (index._rows[:, None] == rows[[5, 1999, 0]]).all(axis=2).any()
    assert index._codes.ntotal == len(index) == 1997
    assert index.search(rows[[5]], 1)[0][0].key != 5


def test_an_empty_index_finds_nobody():
    index = FaceIndex(4)
    assert index.search(np.ones((2, 4), np.float32), 3) == [[], []]
    assert index.best_in_group(np.ones(4, np.float32), 1) is None
    assert filled(np.eye(4, dtype=np.float32)).search(np.empty((0, 4), np.float32), 3) == []
