"""Networks: one a file, importable by their path from a recipe.

What every network keeps to:

- Input: float32 `(B, 3, H, W)`, normalized as the recipe says (by convention `(pixel - 127.5) / 127.5`, RGB; the
  detectors take 0-255). Networks are fully convolutional where their paper is; the docstring names the size.
- **Embedders** have `dimension` and give features `(B, dimension)`, not normalized: the loss, the head or the exported
  graph normalizes where it wants cosines. Training mode gives the same shape, and the one tensor serves both the metric
  losses and the identity classifier.
- **Embedders with several losses** (PCB, MGN) give a `branches.Branches` in training mode: `metric`, the inputs of
  triplet losses, and `classified`, the inputs of softmax losses, one classifier each. `classified_dimensions` names the
  widths of the latter, so that a task can build the classifiers beforehand. Eval mode gives `(B, dimension)`.
- **Identity classifiers are not part of a network**: head and task own them, so that the same network trains under a
  plain layer, a margin head or a classifier that is sharded over ranks, and so that exported weights hold no classes.
- **Detectors** give raw cells in training mode and the decoder's outputs, named by `output_names`, in eval mode; see
  `anchor_free_detector.py`.
"""
