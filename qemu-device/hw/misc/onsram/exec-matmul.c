/*
 * onsram functional execution: products of matrices in pieces
 *
 * The only file that knows the arithmetic library, oneDNN; of that it needs a
 * function that is the same in versions 2 and 3.  The library cannot be
 * interrupted, so that no call may be longer than a piece.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>

#include <dnnl.h>

#include "exec-internal.h"

/* Multiply-accumulates of a piece: milliseconds */
#define PIECE           (1ll << 28)
/* Longest sum and widest row of a piece, where the product is larger than one */
#define PIECE_DEPTH     2048
#define PIECE_COLUMNS   1024

static const float *element(const struct exec_matrix *m, int64_t row,
                            int64_t column)
{
    return m->data + (m->transposed ? column * m->ld + row
                                    : row * m->ld + column);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int exec_matmul(struct onsram_exec *ctx, int64_t m, int64_t n, int64_t k,
                float alpha, const struct exec_matrix *a,
                const struct exec_matrix *b, bool add, float *c, int64_t ldc)
{
    bool whole = (double)m * n * k <= PIECE;
    int64_t kp = whole ? k : least(k, PIECE_DEPTH);
    int64_t np = whole ? n : least(n, PIECE_COLUMNS);
    int64_t mp = whole ? m : least(m, PIECE / (kp * np));
    int64_t i, j, d;

    for (i = 0; i < m; i += mp) {
        for (j = 0; j < n; j += np) {
            for (d = 0; d < k; d += kp) {
                if (exec_cancelled(ctx)) {
                    return -ECANCELED;
                }
                if (dnnl_sgemm(a->transposed ? 'T' : 'N',
                               b->transposed ? 'T' : 'N', least(mp, m - i),
                               least(np, n - j), least(kp, k - d), alpha,
                               element(a, i, d), a->ld, element(b, d, j), b->ld,
                               add || d ? 1 : 0, c + i * ldc + j, ldc) !=
                    dnnl_success) {
                    return -EIO;
                }
            }
        }
    }
    return 0;
}
