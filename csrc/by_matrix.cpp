// Transforms with the lanes inside them: a line of n1 n2 points as a matrix, or a tile
// of a picture. Overlap-save packs two real tiles as re and im of one transform. One
// shot takes a single transform for the whole window: of real operands, point j is
// x_j + i x_{j + N} (rows for a picture), multiplied modulo x^N = i: the
// right-angle convolution, as long as half the result and with nothing to untangle.
#include "layout.h"
#include "lengths.h"
#include "patch.h"
#include "runtime.h"
#include "transforms.h"
#include "twiddles.h"

namespace fastconv {
namespace {

constexpr Index kTogetherBytes = Index(512) << 10;
constexpr double kCachedBytes = 16e6;

// What all threads share: the tiles there are, tables and the kernels' spectra.
template <class T>
class MatrixConvolution {
 public:
  MatrixConvolution(const Call<T>& call, Split shape, bool line, bool one_shot, Scratch& scratch)
      : call_(call),
        shape_(shape),
        line_(line),
        one_shot_(one_shot),
        right_angle_(one_shot && !call.complex()),
        column_(lane_table<T>(shape.n1)),
        row_(lane_table<T>(shape.n2)),
        table_(matrix_table<T>(shape, call.kernels.lanes,
                               right_angle_ ? Points::kRightAngle : Points::kCyclic,
                               line ? Axes::kLine : Axes::kPicture)) {
    const Index W = call.kernels.lanes;
    // Where a spectrum comes from memory, the same sums take some eight times as long.
    const double bytes = 2.0 * double(shape.n1) * double(shape.n2) * double(sizeof(T));
    const double slow = bytes > kCachedBytes ? 8 : 1;
    column_macs_ = slow * 0.5 * double(W) * transform_macs(shape.n1);
    // A band goes forward and back in every digit.
    const double digits = call.p.a_digits.count + call.p.out_digits.count;
    row_macs_ = slow * 0.5 * digits * double(W) * transform_macs(shape.n2);
    // A band more or less than a power of two apart from the next: 2^k rows would
    // fall on the same sets of the caches.
    matrix_ = {
        &column_->plan,           &row_->plan,          table_->weight.get(),  table_->twist.get(),
        table_->twist_lane.get(), table_->twist_groups, 2 * W * (shape.n2 + W)};
    reals_ = shape.n1 / W * matrix_.band;
    // Several columns at once as long as they fit in L2.
    const Index column = 2 * W * shape.n1;
    together_ = column * call.kernels.column_groups * Index(sizeof(T)) <= kTogetherBytes
                    ? call.kernels.column_groups
                    : 1;
    pairs_ = ceil_div(tiles(), call.complex() ? 1 : 2);
    squared_ = one_shot && pairs_ == 1 && is_square();
    if (!squared_) transform_kernels(reals_, scratch);
  }

  // Pairs of tiles are shared out or, where they are few, the columns and rows of each.
  void convolve() {
    const Order order(call_.p, pairs_);
    call_.context.share_many(order.size(), pair_macs(), [&](Context& own, Shares& shares) {
      Scratch scratch;
      Layout<T> in(shape_, line_, call_.a_item, a_step(call_.p), scratch);
      Layout<T> out(shape_, line_, call_.out_item, out_step(call_.p), scratch);
      T* bands = scratch.take<T>(reals_ * call_.spectra());
      for (Range r; shares.next(r);) {
        for (Index i = r.first; i < r.last; ++i) {
          if (order[i] < pairs_) transform_pair(order[i], in, out, bands, own);
        }
      }
    });
  }

 private:
  enum Way { kIn, kOut };

  double pair_macs() const {
    const double groups = double(shape_.n2 / call_.kernels.lanes);
    const double bands = double(shape_.n1 / call_.kernels.lanes);
    const double transforms =
        double(call_.p.a_digits.count) + double(call_.p.kernels) * call_.p.out_digits.count;
    return transforms * groups * column_macs_ +
           0.5 * double(call_.p.kernels + 1) * bands * row_macs_;
  }

  // All of a * a, of a size whose square leaves no range?
  bool is_square() const {
    constexpr int kLongest = 40, kRange = sizeof(T) == 4 ? 120 : 1000;
    const Problem& p = call_.p;
    return p.square && call_.single() && !p.in_turn && p.rows == p.kh && p.cols == p.kw &&
           2 * abs(call_.v_exponent) + kLongest <= kRange;
  }

  // Of a single kernel that no one keeps, and that one pair of tiles meets, the rows wait
  // until they are used (filter_rows).
  void transform_kernels(Index reals, Scratch& scratch) {
    const Problem& p = call_.p;
    const int digits = p.v_digits.count;
    spectrum_ = scratch.take<const T*>(p.kernels * digits);
    if (p.kernels == 1 && !p.spectra && pairs_ == 1) {
      waiting_ = scratch.take<T>(reals * digits);
      for (int j = 0; j < digits; ++j) {
        spectrum_[j] = waiting_ + j * reals;
        call_.turn(Part::kV, 0, j);
        kernel_columns(kernel_of(p, 0, j), waiting_ + j * reals);
      }
      return;
    }
    const Known how = {Fact::kSpectrum,        p.v_dtype, p.kh,         p.kw,  &call_.kernels,
                       {shape_.n1, shape_.n2}, 0,         right_angle_, line_, kernel_scale()};
    for (Index k = 0; k < p.kernels * digits; ++k) {
      const Problem kernel = kernel_of(p, k / digits, int(k % digits));
      call_.turn(Part::kV, k / digits, int(k % digits));
      spectrum_[k] = known_of<T>(kernel, how, reals, scratch, [&](T* to) {
        kernel_columns(kernel, to);
        for_each_band(call_.context, [&](Index at) { forward_row(to + at); });
      });
    }
  }

  double square_scale() const {
    return ldexp(1, 2 * call_.v_exponent) / (double(shape_.n1) * double(shape_.n2));
  }

  double kernel_scale() const { return call_.v_scale / (double(shape_.n1) * double(shape_.n2)); }

  void kernel_columns(const Problem& p, T* bands) {
    Scratch scratch;
    Layout<T> layout(shape_, line_, call_.v_item, call_.v_item * Index(sizeof(T)), scratch);
    Planes v = {{}, {}, call_.v_item == 2, false};
    const auto taps = [&](Index r) { return r < p.kh ? p.v + r * p.v_row : nullptr; };
    v.re = layout.reading(0, p.kw, whole(0, 0), taps);
    v.re.scale = kernel_scale();
    if (right_angle_) {
      v.im = layout.reading(1, p.kw, whole(1, 0), taps);
      v.im.scale = kernel_scale();
    }
    columns(layout, v, bands, call_.context);
  }

  // Half `half` of a one-shot transform.
  Tile whole(int half, Index row) const {
    const Problem& p = call_.p;
    if (line_) {
      const Index from = half * shape_.n1 * shape_.n2;
      return {0,
              from,
              row,
              row + 1,
              std::max(p.col_lo, from),
              std::min(p.col_hi, from + shape_.n1 * shape_.n2)};
    }
    const Index from = half * shape_.n1;
    return {from,     0,       std::max(p.row_lo, from), std::min(p.row_hi, from + shape_.n1),
            p.col_lo, p.col_hi};
  }

  Index row_step() const { return line_ ? 1 : shape_.n1 - call_.p.kh + 1; }
  Index col_step() const { return (line_ ? shape_.n1 * shape_.n2 : shape_.n2) - call_.p.kw + 1; }
  Index across() const { return ceil_div(call_.p.col_hi - call_.p.col_lo, col_step()); }

  Index tiles() const {
    const Problem& p = call_.p;
    const Index halves = right_angle_ ? 2 : 1;
    if (one_shot_) return line_ ? halves * (p.row_hi - p.row_lo) : halves;
    return across() * ceil_div(p.row_hi - p.row_lo, row_step());
  }

  Tile tile(Index i) const {
    const Problem& p = call_.p;
    if (one_shot_) {
      const Index halves = right_angle_ ? 2 : 1;
      return whole(int(i % halves), p.row_lo + i / halves);
    }
    const Index row = p.row_lo + i / across() * row_step();
    const Index col = p.col_lo + i % across() * col_step();
    return {row - p.kh + 1,
            col - p.kw + 1,
            row,
            std::min(p.row_hi, row + row_step()),
            col,
            std::min(p.col_hi, col + col_step())};
  }

  // Calls visit(here, part, first, groups, work) for all groups of columns, several at once, of
  // planes that are there for as long: they, or a patch.
  template <class Visit>
  void for_each_group(const Layout<T>& layout, const Planes& planes, Way way, Context& context,
                      Visit visit) const {
    const Index W = call_.kernels.lanes, groups = shape_.n2 / W;
    const Index parts = ceil_div(groups, together_), patched = parts_of_patch(layout);
    const double macs = double(together_) * column_macs_;
    context.share(parts, macs, [&](Context& own, Shares& shares) {
      Scratch scratch;
      T* work = scratch.take<T>(2 * W * shape_.n1 * together_);
      Patch<T> patch(layout, patched * together_ * W, scratch);
      for (Range r; shares.next(r);) {
        for (Index part = r.first, end; part < r.last;) {
          end = std::min(r.last, part + patched);
          const Range columns = {part * together_ * W, std::min(shape_.n2, end * together_ * W)};
          const Planes here =
              way == kIn ? patch.reading(planes, columns) : patch.writing(planes, columns);
          for (; part < end; ++part) {
            const Index first = part * together_;
            visit(here, part, first, int(std::min<Index>(together_, groups - first)), work);
            own.spend(macs);
          }
          if (way == kOut) patch.finish(planes, here);
        }
      }
    });
  }

  // Tiles are copied whole, of one transform for all no more than a share of its spectrum, whose
  // memory is spoken for: of lines nearly all of it.
  Index parts_of_patch(const Layout<T>& layout) const {
    constexpr Index kLeast = 128;  // columns of pictures
    const Index n2 = shape_.n2, own = call_.kernels.lanes * together_;
    if (layout.dense || !one_shot_) return ceil_div(n2, own);
    const Index columns = line_ ? n2 / 32 : std::max(n2 / 32, std::min(n2 / 8, kLeast));
    return std::max<Index>(1, columns / own);
  }

  // The sums of squares, of which the scales are made, are added up in a fixed order.
  Balance columns(const Layout<T>& layout, const Planes& planes, T* bands, Context& context) const {
    const Index parts = ceil_div(shape_.n2 / call_.kernels.lanes, together_);
    Scratch scratch;
    double* part_squares = scratch.take<double>(2 * parts);
    std::fill_n(part_squares, 2 * parts, 0.0);
    for_each_group(layout, planes, kIn, context,
                   [&](const Planes& here, Index part, Index first, int groups, T* work) {
                     call_.kernels.columns_forward(matrix_, here, first, groups, work, bands,
                                                   part_squares + 2 * part);
                   });
    if (!planes.im.row || right_angle_ || !call_.balances()) return {};
    double squares[2] = {0, 0};
    for (Index part = 0; part < 2 * parts; ++part) squares[part % 2] += part_squares[part];
    return balance<T>(squares[0], squares[1],
                      [&](int half) { return norm(layout, half ? planes.im : planes.re); });
  }

  void inverse_columns(const Layout<T>& layout, const Planes& planes, const T* bands,
                       Context& context) const {
    for_each_group(layout, planes, kOut, context,
                   [&](const Planes& here, Index, Index first, int groups, T* work) {
                     call_.kernels.columns_inverse(matrix_, here, first, groups, work, bands);
                   });
  }

  // Calls visit(at) for where each band of rows begins.
  template <class Visit>
  void for_each_band(Context& context, Visit visit) const {
    const Index count = shape_.n1 / call_.kernels.lanes;
    context.share(count, row_macs_, [&](Context& own, Shares& shares) {
      for (Range r; shares.next(r);) {
        for (Index band = r.first; band < r.last; ++band) {
          visit(band * matrix_.band);
          own.spend(row_macs_);
        }
      }
    });
  }

  // What waits of the kernel goes forward, while it is in cache; the signal's rows forward,
  // times the kernel, and back.
  void filter_rows(T* bands, Context& context) const {
    for_each_band(context, [&](Index at) {
      const int digits = waiting_ ? call_.p.v_digits.count : 0;
      for (int j = 0; j < digits; ++j) forward_row(waiting_ + j * reals_ + at);
      if (squared_) return square_row(bands + at);
      if (call_.single()) {
        call_.kernels.transform(bands + at, row_->plan, kProduct, spectrum_[0] + at);
        return;
      }
      forward_row_of_digits(bands + at);
      multiply_row(bands, 0, at);
    });
  }

  void forward_row(T* band) const { call_.kernels.transform(band, row_->plan, kForward, nullptr); }

  void square_row(T* band) const {
    forward_row(band);
    const void* x[] = {band};
    call_.kernels.products(x, x, 1, shape_.n2, band);
    call_.kernels.transform(band, row_->plan, kInverse, nullptr);
  }

  void forward_row_of_digits(T* band) const {
    for (int i = 0; i < call_.p.a_digits.count; ++i) forward_row(band + i * reals_);
  }

  void multiply_row(T* bands, Index kernel, Index at) const {
    const Problem& p = call_.p;
    const Index W = call_.kernels.lanes;
    const T* h[kMostDigits];
    for (int j = 0; j < p.v_digits.count; ++j) h[j] = spectrum_[kernel * p.v_digits.count + j] + at;
    T* results = bands + call_.first_result() * reals_ + at;
    multiply_digits<T>(p, call_.kernels.products, 2 * W, 2 * W, shape_.n2, bands + at, h, reals_,
                       results);
    for (int k = 0; k < p.out_digits.count; ++k) {
      call_.kernels.transform(results + k * reals_, row_->plan, kInverse, nullptr);
    }
  }

  // Columns of one digit of a pair of tiles.
  Balance forward_columns(int digit, Layout<T>& layout, const Tile& first, const Tile* second,
                          T* bands, Context& context) const {
    const Problem& p = call_.p;
    call_.turn(Part::kA, 0, digit);
    const auto samples = [&, rows = rows_of_a(p)](Index r) mutable {
      const char* row = rows(r);
      return row ? row + digit * p.a_digits.next : nullptr;
    };
    Planes in = {{}, {}, call_.a_item == 2, false};
    in.re = layout.reading(0, p.cols, first, samples);
    if (second) in.im = layout.reading(1, p.cols, *second, samples);
    in.re.scale = in.im.scale = squared_ ? call_.v_scale : 1;
    const Balance b = columns(layout, in, bands, context);
    if (b.re != 0 || b.im != 0) {
      in.re.scale = power_of_two<T>(-b.re);
      in.im.scale = power_of_two<T>(-b.im);
      columns(layout, in, bands, context);
    }
    return b;
  }

  void transform_pair(Index pair, Layout<T>& layout_in, Layout<T>& layout_out, T* bands,
                      Context& context) const {
    const Problem& p = call_.p;
    const Index at = call_.complex() ? pair : 2 * pair;
    const bool both = !call_.complex() && at + 1 < tiles();
    const Tile first = tile(at), second = both ? tile(at + 1) : Tile();
    Balance b;
    for (int i = 0; i < p.a_digits.count; ++i) {
      b = forward_columns(i, layout_in, first, both ? &second : nullptr, bands + i * reals_,
                          context);
    }
    const auto deliver = [&](Index k) {
      for (int digit = 0; digit < p.out_digits.count; ++digit) {
        const Problem to = kernel_of(p, k, 0, digit);
        Planes out = {{}, {}, call_.complex(), p.accumulate};
        out.re = layout_out.writing(0, to, first);
        if (both) out.im = layout_out.writing(1, to, second);
        out.re.scale = squared_ ? square_scale() : power_of_two<T>(call_.v_exponent + b.re);
        out.im.scale = squared_ ? square_scale() : power_of_two<T>(call_.v_exponent + b.im);
        inverse_columns(layout_out, out, bands + (call_.first_result() + digit) * reals_, context);
        layout_out.finish(p.accumulate);
        call_.turn(Part::kOut, k, digit);
      }
    };
    if (p.kernels == 1) {
      filter_rows(bands, context);
      return deliver(0);
    }
    for_each_band(context, [&](Index at) { forward_row_of_digits(bands + at); });
    for (Index k = 0; k < p.kernels; ++k) {
      for_each_band(context, [&](Index at) { multiply_row(bands, k, at); });
      deliver(k);
    }
  }

  double norm(const Layout<T>& layout, const Plane& plane) const {
    Scratch scratch;
    T* copy = scratch.take<T>(shape_.n2 * layout.item);
    double squares = 0;
    for (Index r = 0; r < shape_.n1; ++r) {
      if (!plane.row[r]) continue;
      const double norm = call_.kernels.norm(layout.items(plane, r, copy), plane.end - plane.first);
      squares += norm * norm;
    }
    return sqrt(squares);
  }

  const Call<T>& call_;
  const Split shape_;
  const bool line_, one_shot_, right_angle_;
  const Shared<LaneTable> column_, row_;
  const Shared<MatrixTable> table_;
  Matrix matrix_;
  Index together_, reals_, pairs_;
  double column_macs_, row_macs_;
  const T** spectrum_;    // of each digit of each kernel
  T* waiting_ = nullptr;  // those of which only the columns are transformed yet
  bool squared_ = false;  // a * a, one transform forward
};

}  // namespace

template <class T>
void by_matrix(const Call<T>& call, const fc_candidate& how) {
  const bool line = call.p.kh == 1 && how.block[0] == 1;
  const Split shape =
      line ? split_length(how.block[1], call.kernels.lanes) : Split{how.block[0], how.block[1]};
  Scratch scratch;
  MatrixConvolution<T> matrix(call, shape, line, how.method == FC_ONESHOT, scratch);
  matrix.convolve();
}

template void by_matrix(const Call<float>&, const fc_candidate&);
template void by_matrix(const Call<double>&, const fc_candidate&);

}  // namespace fastconv
