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

// Sums and maxima of |x| (complex: of re and im) and upper bounds of ||x||^2, by
// block and of the whole. A NaN or Inf makes its block's sum, and so the whole, not finite.
struct Coarse {
  Index rows = 0, cols = 0;
  double *sum = nullptr, *energy = nullptr, *top = nullptr;  // top: max |x|
  double peak = 0, total_sum = 0, total_energy = 0;
  bool finite = true;
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

  void estimate_means(const Coarse& a, const Coarse& v, Context&);
  double loss_of(double points, double sum, double energy, const Coarse& v) const;
  void mark_blocks(double v_peak);
  bool is_weak(double mean, Index block, double v_peak) const;
  Edge edge_of(bool along_rows, double v_peak, Context&) const;
  void edges_of_lines(bool along_rows, Context&);
  void bound_lines(const fc_candidate& how, const Coarse& a, const Coarse& v, Index lanes);
  void bound_tiles(const fc_candidate& how, const Coarse& a, const Coarse& v);
  Index end_of_run(Index i, Index j) const;
  bool same_run(Index i, Index j, Index end, Mark) const;
  template <class Visit>
  void for_each(Visit) const;

  // Rows (columns) that no product crosses: lines beside each other.
  bool rows_apart() const { return p_.kh == 1; }
  bool cols_apart() const { return p_.kw == 1 && p_.kh > 1; }
  Index height() const { return p_.rows + p_.kh - 1; }
  Index width() const { return p_.cols + p_.kw - 1; }

  const Problem& p_;
  Grain grain_;
  Index rows_, cols_;                     // blocks of outputs
  double taps_, log_taps_, log_outputs_;  // log_outputs_: of a hundred times as many
  double *mean_, *loss_, *near_top_;      // while it is made
  Mark* mark_;
  Edge edge_rows_, edge_cols_;
  Edge* line_edge_ = nullptr;  // of lines apart, one each
};

}  // namespace fastconv
