import pytest

torch = pytest.importorskip("torch")

from mien.errors import UsageError  # noqa: E402
from mien.training.sharded.row_sgd import RowSGD  # noqa: E402


def dense_gradients(steps):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(6, 3, generator=generator, dtype=torch.float64) for _ in range(steps)]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
def test_dense_steps_are_those_of_torch(momentum, weight_decay):
    start = torch.linspace(-1, 1, 18, dtype=torch.float64).reshape(6, 3)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    options = {"lr": 0.1, "momentum": momentum, "weight_decay": weight_decay}
    optimizers = [(ours, RowSGD([ours], **options)), (theirs, torch.optim.SGD([theirs], **options))]
    for gradient in dense_gradients(4):
        for parameter, optimizer in optimizers:
            parameter.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(ours, theirs)


def test_sparse_steps_are_dense_ones_of_their_rows_and_leave_the_others():
    rows = torch.tensor([1, 4])
    start = torch.linspace(-1, 1, 18, dtype=torch.float64).reshape(6, 3)
    ours, dense = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start[rows].clone())
    options = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}
    sparse_optimizer, dense_optimizer = RowSGD([ours], **options), torch.optim.SGD([dense], **options)
    for gradient in dense_gradients(3):
        # Two micro-batches: the gradients of a row add up.
        ours.grad = torch.sparse_coo_tensor(
            torch.cat([rows, rows])[None], torch.cat([gradient[rows], gradient[:2]]), (6, 3), check_invariants=True
        )
        dense.grad = gradient[rows] + gradient[:2]
        sparse_optimizer.step()
        dense_optimizer.step()
    torch.testing.assert_close(ours[rows], dense)
    others = torch.tensor([0, 2, 3, 5])
    assert torch.equal(ours[others], start[others])
    assert not sparse_optimizer.state[ours]["momentum_buffer"][others].any()


def test_its_state_can_be_kept():
    parameter = torch.nn.Parameter(torch.ones(2, 2))
    first = RowSGD([parameter], lr=0.1)
    parameter.grad = torch.ones(2, 2)
    first.step()
    second = RowSGD([parameter], lr=0.5)
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["lr"] == 0.1
    assert second.state[parameter]["momentum_buffer"].tolist() == [[1, 1], [1, 1]]


def test_a_negative_rate_is_refused():
    with pytest.raises(UsageError, match="lr must not be negative, but is -1"):
        RowSGD([torch.nn.Parameter(torch.ones(1))], lr=-1)
