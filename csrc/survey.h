// What a transform would lose of small values, found before it is made.
#pragma once
#include "engine.h"
#include "function.h"
#include "runtime.h"

namespace fastconv {

// The samples (or outputs) that one coarse block stands for: of a kernel of one row
// (or column) those of one line.
struct Grain {
  Index rows, cols;
};
Grain grain_of(const Problem&);

// Sum and maximum of |x| (complex: of re and im), and an upper bound of ||x||^2.
struct Seen {
  double sum = 0, energy = 0, top = 0;

  void add(const Seen& other) {
    sum += other.sum;
    energy += other.energy;
    top = other.top > top ? other.top : top;
  }
};

// The same by block, and of the whole. A NaN or Inf makes its block's sum, and so the
// whole, not finite.
struct Coarse {
  Index rows = 0, cols = 0;
  double *sum = nullptr, *energy = nullptr, *top = nullptr;
  Seen whole;
  bool finite = true;

  // Of `count` blocks side by side, from block `at` on.
  Seen of(Index at, Index count) const;
};
Coarse coarse(Scratch&, Context&, fc_dtype, const char* data, Index rows, Index cols, Index stride,
              Grain);

// Of the taps, which may be known already.
const Coarse& weight_of_taps(Scratch&, const Problem&, Grain, Context&);

struct Window {
  Index row_lo, row_hi, col_lo, col_hi;
  bool empty() const { return row_lo >= row_hi || col_lo >= col_hi; }
};

// The part of a window that the problem asks for.
Window intersect(Window, const Problem&);

double macs_of(const Problem&);

class Survey {
 public:
  // a and v are finite; `how` is the transform that is to be trusted.
  Survey(Scratch&, const Problem&, const fc_candidate& how, Grain, const Coarse& a, const Coarse& v,
         Context&);

  // Multiply-adds that repair() takes if all is redone directly.
  double macs() const;

  // Has computed again what the transform may have lost.
  using Redo = FunctionRef<void(const Problem&)>;
  void repair(Redo) const;

 private:
  enum Mark : char { kSafe, kZero, kWeak };
  struct Edge {
    Index leading = 0, trailing = 0;  // outputs at the two ends of 'full'
  };
  // What decides beside a mean: E / tol, and the largest |a| near.
  struct Bound {
    double loss, top;
  };

  void estimate_means(Scratch&, const Coarse& a, const Coarse& v, Context&);
  void look_around(Scratch&, const Coarse& a, Index lanes);
  Bound bound_from(const Seen&) const;
  Bound bound_of(Index chunk_row, Index chunk_col) const;
  Bound bound_at(Index block_row, Index block_col) const {
    return bound_of(block_row / tall_, block_col / wide_);
  }
  void mark_blocks();
  void mark_around(Index block_row, Index block_col);
  bool is_weak(double mean, const Bound&) const;
  Edge edge_of(bool along_rows, Context&) const;
  template <class T>
  void edges_of_lines(Context&);
  Index end_of_run(Index i, Index j) const;
  bool same_run(Index i, Index j, Index end, Mark) const;
  template <class Visit>
  void for_each(Visit) const;

  // Rows (columns) that no product crosses: lines beside each other.
  bool rows_apart() const { return p_.kh == 1; }
  bool cols_apart() const { return p_.kw == 1 && p_.kh > 1; }
  bool lines_apart() const { return rows_apart() || cols_apart(); }
  Index height() const { return p_.rows + p_.kh - 1; }
  Index width() const { return p_.cols + p_.kw - 1; }

  const Problem& p_;
  const fc_candidate& how_;
  Grain grain_;
  Index rows_, cols_;                     // blocks of outputs
  double taps_, log_taps_, log_outputs_;  // log_outputs_: of a hundred times as many
  double v_peak_, by_norm_, by_sum_;      // E / tol by ||a||_2 and by ||a||_1
  double* mean_;                          // this, seen_ and line_ while it is made
  // Chunks of so many blocks: what a transform sees lies in one and those around it.
  Index tall_, wide_, chunk_rows_, chunk_cols_;
  Seen* seen_;
  Seen* line_ = nullptr;  // of whole rows, where two may ride in one transform
  Index group_ = 1;       // columns that may
  Bound most_;            // no block has more of either
  Mark* mark_;
  bool marked_ = false;  // else all are safe
  Edge edge_rows_, edge_cols_;
  Edge* line_edge_ = nullptr;  // of lines apart, one each
};

}  // namespace fastconv
