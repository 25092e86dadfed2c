"""Convolutions and pools whose gradients are wrong where no window reads, or somewhere else, beside the right ones."""

from __future__ import annotations

import numpy as np

from gradverify.layers.convolution import naive_backward, naive_forward
from gradverify.layers.pooling import avgpool2d_backward, avgpool2d_forward

conv_forward, conv_backward = naive_forward, naive_backward
pool_forward, pool_backward = avgpool2d_forward, avgpool2d_backward


def with_rubbish(backward, *parts):
    """Return a backward pass that adds 1 to some parts of dx; ``dout`` keeps it linear."""

    def wrong(dout, cache):
        dx, *others = backward(dout, cache)
        for part in parts:
            dx[part] += dout.sum()
        return (dx, *others) if others else dx

    return wrong


LAST_ROW, LAST_COLUMN, FIRST_ROW = np.s_[:, :, -1], np.s_[..., -1], np.s_[:, :, 0]
conv_last_row = with_rubbish(naive_backward, LAST_ROW)
conv_border = with_rubbish(naive_backward, LAST_ROW, LAST_COLUMN)
conv_one = with_rubbish(naive_backward, np.s_[0, 1, -1, 2])
conv_two = with_rubbish(naive_backward, np.s_[0, 1, -1, 2], np.s_[1, 0, 3, -1])
conv_one_there_and_one_elsewhere = with_rubbish(naive_backward, np.s_[0, 1, -1, 2], np.s_[1, 0, 3, 3])
conv_first_row = with_rubbish(naive_backward, FIRST_ROW)
conv_first_and_last_row = with_rubbish(naive_backward, FIRST_ROW, LAST_ROW)
conv_everywhere = with_rubbish(naive_backward, np.s_[:])
pool_between = with_rubbish(avgpool2d_backward, np.s_[:, :, 2::4], np.s_[:, :, 3::4])


def conv_without_the_last_row(dout, cache):
    dx, dw, db = naive_backward(dout, cache)
    return dx[:, :, :-1], dw, db
