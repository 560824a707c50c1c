// Direct sums in two dimensions, y[r, c] = sum_{i, j} g[i, j] x[r + i, c + j].
//
// A tile of R rows by C vectors of outputs loads each row of x that it sees once a
// kernel column and adds it to up to R output rows: C loads and R broadcasts for
// R C multiply-adds. A kernel of few rows slides down a strip instead, which is as
// wide as registers allow. An output sums its taps row by row, left to right, in
// every one of them, and sweeps of rows (table.h) in y.
#pragma once
#include "direct1d.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

// GMAC/s at 512x512 * 11x11, f64 and f32: 5 x 4 zmm 25.5 and 49; 4 x 3 ymm 19.8 and
// 39 (6 x 2: 17.7 and 37; 3 x 4, which spills: 12.9 and 26).
template <class A>
struct TileShape {
  static constexpr int rows = kRegisters == 32 ? 5 : A::sums == 1 ? 4 : 3;
  static constexpr int cols = kRegisters == 32 ? 4 / A::sums : A::sums == 1 ? 3 : 2;
};

template <class A>
constexpr int kTileRows = TileShape<A>::rows;

// The widest strip whose open sums, taps and one vector of x stay in registers.
template <class A>
constexpr int strip_vectors(int kh) {
  return (kRegisters - 1 - kh * A::factors) / (kh * A::sums);
}
// Narrower strips lose to tiles (512x512 * 5x5, two ymm: 15.2 against 16.5 GMAC/s).
constexpr int kStripVectors = 3;
// Rows swept at a time: few enough that the next strip finds its rows in L2. 3x3:
// 21.5 GMAC/s, 18.2 all 512 at once.
constexpr int kStripRows = 64;

// Of which products samples may lie apart: of the others a variable step costs complex sums up to a
// third of their time.
template <class A>
constexpr bool kSpreads = false;
template <class T>
constexpr bool kSpreads<RealTaps<T, 1>> = true;

// Elements of x from one tap to the next.
template <class A>
FC_INLINE ptrdiff_t step_of(ptrdiff_t spread) {
  return kSpreads<A> ? spread : A::step;
}

// What one row of x adds to rows First .. Last-1 of a tile; g is the row of taps
// that output row 0 would take.
template <class A, int First, int Last, int R, int C, class X>
FC_INLINE void add_row(typename A::Sum (&sum)[R][C][A::sums], const X& x, const typename A::T* g,
                       ptrdiff_t kw, ptrdiff_t spread) {
  for (ptrdiff_t k = 0; k < kw; ++k) {
    typename A::Shared shared[C];
    FC_UNROLL
    for (int c = 0; c < C; ++c)
      shared[c] = A::share(x.at(k * step_of<A>(spread) + c * Shape<A>::W));
    FC_UNROLL
    for (int r = First; r < Last; ++r) {
      const typename A::Factor tap = A::factor(g + (k - r * kw) * A::parts);
      FC_UNROLL
      for (int c = 0; c < C; ++c) A::add(sum[r][c], shared[c], tap);
    }
  }
}

// The rows of x, where every vector lies within them, and where they have an end.
template <class T>
struct InnerRows {
  const T* x;
  ptrdiff_t x_row;
  FC_INLINE Inside<T> row(ptrdiff_t s) const { return {x + s * x_row}; }
};
template <class T>
struct EndingRows {
  const T* x;
  ptrdiff_t x_row, size;
  FC_INLINE AtEnd<T> row(ptrdiff_t s) const { return AtEnd<T>(x + s * x_row, size); }
};

// The rows of x that a tile of R rows and a kernel of KH < R rows meet, or, with
// KH == 0, the first R - 1 of them.
template <class A, int KH, int S, int R, int C, class X>
FC_INLINE void add_first_rows(typename A::Sum (&sum)[R][C][A::sums], const X& x,
                              const typename A::T* g, ptrdiff_t kw, ptrdiff_t spread) {
  if constexpr (S < R + KH - 1) {
    constexpr int first = KH && S >= KH ? S - KH + 1 : 0, last = S < R ? S + 1 : R;
    add_row<A, first, last>(sum, x.row(S), g + S * kw * A::parts, kw, spread);
    add_first_rows<A, KH, S + 1>(sum, x, g, kw, spread);
  }
}

// The last R - 1 rows of x, from s on, which no longer meet the tile's first rows.
template <class A, int First, int R, int C, class X>
FC_INLINE void add_last_rows(typename A::Sum (&sum)[R][C][A::sums], const X& x, ptrdiff_t s,
                             const typename A::T* g, ptrdiff_t kw, ptrdiff_t spread) {
  if constexpr (First < R) {
    add_row<A, First, R>(sum, x.row(s), g + s * kw * A::parts, kw, spread);
    add_last_rows<A, First + 1>(sum, x, s + 1, g, kw, spread);
  }
}

// Where sweeps end: with row `next` + r of x, row r of a tile begins another one.
class Sweeps {
 public:
  FC_INLINE explicit Sweeps(const Taps2D& g) : g_(g), next_(g.sweep - g.above % g.sweep) {}

  FC_INLINE bool any() const { return next_ < g_.rows; }

  // The first row of x that begins one, or one past those that meet all rows of a tile.
  FC_INLINE ptrdiff_t next() const { return any() ? next_ : g_.rows; }
  FC_INLINE void step() { next_ += g_.sweep; }

  // Is it all of a tile's rows that meet the rows of x where they end?
  FC_INLINE bool within_tile(ptrdiff_t tile_rows) const {
    if (!any()) return true;
    const ptrdiff_t behind = (g_.above + g_.rows) % g_.sweep;  // the last one
    return next_ >= tile_rows - 1 && (behind == 0 || behind >= tile_rows);
  }

 private:
  const Taps2D& g_;
  ptrdiff_t next_;
};

// put.template row<r>(sum, accumulate) adds what row r of a tile has summed to y.
template <class A, int Row, int R, int C, class Put>
FC_INLINE void close(typename A::Sum (&sum)[R][C][A::sums], ptrdiff_t row, bool accumulate,
                     const Put& put) {
  if constexpr (Row < R) {
    if (row != Row) return close<A, Row + 1>(sum, row, accumulate, put);
    put.template row<Row>(sum, accumulate);
    FC_UNROLL
    for (int c = 0; c < C; ++c) {
      FC_UNROLL
      for (int a = 0; a < A::sums; ++a) sum[Row][c][a] = typename A::Sum{};
    }
  }
}

template <class A, int Row, int R, int C, class Put>
FC_INLINE void put_rows(const typename A::Sum (&sum)[R][C][A::sums], bool accumulate,
                        const Put& put) {
  if constexpr (Row < R) {
    put.template row<Row>(sum, accumulate);
    put_rows<A, Row + 1>(sum, accumulate, put);
  }
}

template <class A, int KH, int R, int C, class X, class Put>
FC_INLINE void add_rows(typename A::Sum (&sum)[R][C][A::sums], const X& x, const Taps2D& taps,
                        bool accumulate, const Put& put) {
  const typename A::T* g = static_cast<const typename A::T*>(taps.data);
  const ptrdiff_t kh = taps.rows, kw = taps.cols, spread = taps.spread;
  add_first_rows<A, KH, 0>(sum, x, g, kw, spread);
  if constexpr (KH == 0) {
    Sweeps sweeps(taps);
    for (ptrdiff_t s = R - 1;;) {
      for (const ptrdiff_t end = sweeps.next(); s < end; ++s) {
        add_row<A, 0, R>(sum, x.row(s), g + s * kw * A::parts, kw, spread);
      }
      if (s >= kh) break;
      for (ptrdiff_t row = 0; row < R; ++row, ++s) {
        close<A, 0>(sum, row, accumulate, put);
        add_row<A, 0, R>(sum, x.row(s), g + s * kw * A::parts, kw, spread);
      }
      accumulate = true;
      sweeps.step();
    }
    add_last_rows<A, 1>(sum, x, kh, g, kw, spread);
  }
  put_rows<A, 0>(sum, accumulate, put);
}

// Rows of outputs in y: of whole vectors, and narrower than one.
template <class A>
struct WholeRows {
  typename A::T* y;
  ptrdiff_t y_row;
  template <int Row, int R, int C>
  FC_INLINE void row(const typename A::Sum (&sum)[R][C][A::sums], bool accumulate) const {
    FC_UNROLL
    for (int c = 0; c < C; ++c) {
      put<A>(sum[Row][c], y + Row * y_row + c * Shape<A>::W * A::outputs, accumulate);
    }
  }
};
template <class A>
struct PartRows {
  typename A::T* y;
  ptrdiff_t y_row, lanes;
  template <int Row, int R>
  FC_INLINE void row(const typename A::Sum (&sum)[R][1][A::sums], bool accumulate) const {
    put_part<A>(sum[Row][0], y + Row * y_row, lanes, accumulate);
  }
};

// A block of outputs: `rows` rows by a number of vectors that is the function's own.
template <class A>
using Block2D = void (*)(const typename A::T* x, ptrdiff_t x_row, const Taps2D& g, typename A::T* y,
                         ptrdiff_t y_row, ptrdiff_t rows, bool accumulate);

// R rows by C vectors, for a kernel of exactly KH rows or, with KH == 0, of R or
// more.
template <class A, int R, int C, int KH>
__attribute__((noinline)) void tile(const typename A::T* x, ptrdiff_t x_row, const Taps2D& g,
                                    typename A::T* y, ptrdiff_t y_row, ptrdiff_t, bool accumulate) {
  typename A::Sum sum[R][C][A::sums] = {};
  const InnerRows<typename A::T> rows = {x, x_row};
  add_rows<A, KH>(sum, rows, g, accumulate, WholeRows<A>{y, y_row});
}

// R rows of outputs narrower than a vector, for a kernel of exactly KH rows or, with KH == 0, of R
// or more.
template <class A, int R, int KH>
FC_INLINE void part_tile(const typename A::T* x, ptrdiff_t x_row, const Taps2D& g, typename A::T* y,
                         ptrdiff_t y_row, ptrdiff_t lanes, bool accumulate) {
  typename A::Sum sum[R][1][A::sums] = {};
  const ptrdiff_t size = lanes + (g.cols - 1) * step_of<A>(g.spread);
  const EndingRows<typename A::T> rows = {x, x_row, size};
  add_rows<A, KH>(sum, rows, g, accumulate, PartRows<A>{y, y_row, lanes});
}

template <class A, int R, int KH>
void part_tiles(const typename A::T* x, ptrdiff_t x_row, const Taps2D& g, typename A::T* y,
                ptrdiff_t y_row, ptrdiff_t rows, ptrdiff_t lanes, bool accumulate) {
  for (ptrdiff_t r = 0; r + R <= rows; r += R) {
    part_tile<A, R, KH>(x + r * x_row, x_row, g, y + r * y_row, y_row, lanes, accumulate);
  }
}

// Is a kernel one for tiles of its own height?
template <class A>
FC_INLINE bool is_for_tiles(const Taps2D& g) {
  return g.rows >= TileShape<A>::rows && Sweeps(g).within_tile(TileShape<A>::rows);
}

// As many at a time as a tile has, then one by one; of kernels of fewer rows but those of three,
// the most common, all so.
template <class A>
void part_rows(const typename A::T* x, ptrdiff_t x_row, const Taps2D& g, typename A::T* y,
               ptrdiff_t y_row, ptrdiff_t rows, ptrdiff_t lanes, bool accumulate) {
  constexpr int R = TileShape<A>::rows, three = R > 3 ? 3 : 0;
  const bool tall = is_for_tiles<A>(g);
  ptrdiff_t done = 0;
  if (tall || (g.rows == three && !Sweeps(g).any())) {
    done = rows / R * R;
    const auto tiles = tall ? part_tiles<A, R, 0> : part_tiles<A, R, three>;
    tiles(x, x_row, g, y, y_row, done, lanes, accumulate);
  }
  part_tiles<A, 1, 0>(x + done * x_row, x_row, g, y + done * y_row, y_row, rows - done, lanes,
                      accumulate);
}

// A strip of C vectors swept downwards by a kernel of KH rows. KH rows of sums are
// open at a time; a row of x is loaded once a kernel column and added to all of
// them, then the uppermost is complete.
template <class A, int KH, int C>
struct Strip {
  using T = typename A::T;
  typename A::Sum sum[KH][C][A::sums];

  FC_INLINE void clear(int r) {
    FC_UNROLL
    for (int c = 0; c < C; ++c) {
      FC_UNROLL
      for (int a = 0; a < A::sums; ++a) sum[r][c][a] = typename A::Sum{};
    }
  }
  template <int First, int Last>
  FC_INLINE void add(const T* x, const T* g, ptrdiff_t kw, ptrdiff_t spread) {
    for (ptrdiff_t k = 0; k < kw; ++k) {
      typename A::Factor tap[KH];
      FC_UNROLL
      for (int r = First; r < Last; ++r) tap[r] = A::factor(g + ((KH - 1 - r) * kw + k) * A::parts);
      FC_UNROLL
      for (int c = 0; c < C; ++c) {
        const typename A::Shared shared =
            A::share(load<T>(x + k * step_of<A>(spread) + c * Shape<A>::W));
        FC_UNROLL
        for (int r = First; r < Last; ++r) A::add(sum[r][c], shared, tap[r]);
      }
    }
  }
  FC_INLINE void step_down() {
    FC_UNROLL
    for (int r = 0; r < KH - 1; ++r) {
      FC_UNROLL
      for (int c = 0; c < C; ++c) {
        FC_UNROLL
        for (int a = 0; a < A::sums; ++a) sum[r][c][a] = sum[r + 1][c][a];
      }
    }
    clear(KH - 1);
  }
  FC_INLINE void complete(T* y, bool accumulate) {
    FC_UNROLL
    for (int c = 0; c < C; ++c) put<A>(sum[0][c], y + c * Shape<A>::W * A::outputs, accumulate);
    step_down();
  }
  // The first KH - 1 rows of x meet 1, 2, ... rows of outputs, the last ones ..., 2, 1.
  template <int Open>
  FC_INLINE void begin(const T* x, ptrdiff_t x_row, const T* g, ptrdiff_t kw, ptrdiff_t spread) {
    if constexpr (Open < KH) {
      add<KH - Open, KH>(x, g, kw, spread);
      step_down();
      begin<Open + 1>(x + x_row, x_row, g, kw, spread);
    }
  }
  template <int Open>
  FC_INLINE void end(const T* x, ptrdiff_t x_row, const T* g, ptrdiff_t kw, ptrdiff_t spread, T* y,
                     ptrdiff_t y_row, bool accumulate) {
    if constexpr (Open > 0) {
      add<0, Open>(x, g, kw, spread);
      complete(y, accumulate);
      end<Open - 1>(x + x_row, x_row, g, kw, spread, y + y_row, y_row, accumulate);
    }
  }
};

template <class A, int KH, int C>
__attribute__((noinline)) void slide(const typename A::T* x, ptrdiff_t x_row, const Taps2D& taps,
                                     typename A::T* y, ptrdiff_t y_row, ptrdiff_t rows,
                                     bool accumulate) {
  const typename A::T* g = static_cast<const typename A::T*>(taps.data);
  const ptrdiff_t kw = taps.cols, spread = taps.spread;
  Strip<A, KH, C> strip;
  FC_UNROLL
  for (int r = 0; r < KH; ++r) strip.clear(r);
  strip.template begin<1>(x, x_row, g, kw, spread);
  x += (KH - 1) * x_row;
  for (ptrdiff_t r = KH - 1; r < rows; ++r) {
    strip.template add<0, KH>(x, g, kw, spread);
    strip.complete(y, accumulate);
    x += x_row;
    y += y_row;
  }
  strip.template end<KH - 1>(x, x_row, g, kw, spread, y, y_row, accumulate);
}

// BlockSizes that do one kernel, by width in vectors, ascending from 1, and the
// heights they can have.
template <class A>
struct BlockSizes {
  int least_rows, most_rows;
  int widths;
  struct {
    int vectors;
    Block2D<A> run;
  } of[4];
};

template <class A, int KH, int C = strip_vectors<A>(KH)>
constexpr BlockSizes<A> kSlide = {KH,
                                  kStripRows,
                                  4,
                                  {{1, slide<A, KH, 1>},
                                   {(C + 2) / 3, slide<A, KH, (C + 2) / 3>},
                                   {(2 * C + 2) / 3, slide<A, KH, (2 * C + 2) / 3>},
                                   {C, slide<A, KH, C>}}};

template <class A, int R, int C, int KH>
constexpr BlockSizes<A> kTile = {
    R,
    R,
    3,
    {{1, tile<A, R, 1, KH>}, {(C + 1) / 2, tile<A, R, (C + 1) / 2, KH>}, {C, tile<A, R, C, KH>}}};

template <class A, int KH = TileShape<A>::rows - 1>
FC_INLINE const BlockSizes<A>& tiles_for(ptrdiff_t kh) {
  constexpr int R = TileShape<A>::rows, C = TileShape<A>::cols;
  if constexpr (KH > 0) {
    return kh == KH ? kTile<A, R, C, KH> : tiles_for<A, KH - 1>(kh);
  } else {
    return kTile<A, R, C, 0>;
  }
}

template <class A>
FC_INLINE const BlockSizes<A>& blocks_of_one_row() {
  return kTile<A, 1, TileShape<A>::cols, 0>;
}

template <class A>
FC_INLINE const BlockSizes<A>& blocks_for(const Taps2D& g) {
  if (Sweeps(g).any() && !is_for_tiles<A>(g)) return blocks_of_one_row<A>();
  const ptrdiff_t kh = g.rows;
  if constexpr (strip_vectors<A>(3) >= kStripVectors) {
    if (kh == 3) return kSlide<A, 3>;
  }
  if constexpr (strip_vectors<A>(5) >= kStripVectors) {
    if (kh == 5) return kSlide<A, 5>;
  }
  if constexpr (strip_vectors<A>(7) >= kStripVectors) {
    if (kh == 7) return kSlide<A, 7>;
  }
  return tiles_for<A>(kh);
}

// Rows swept at a time where they are long: few, so that memory is read along them. Three times
// the kernel's make the partial rows at both ends of a sweep worth it, up to 5x5 and of doubles
// 7x7: avx512, f64, 1080x1920 from memory: 1.0 ms and not 1.2 by 3x3, 1.2 and not 1.4 by 5x5, 1.9
// and not 3.6 by 7x7, which takes 1.05 times as long in cache.
constexpr ptrdiff_t kSweptBytes = ptrdiff_t(64) << 10;
template <class T>
constexpr int kSweptKernel = sizeof(T) == 4 ? 5 : 7;

template <class A>
FC_INLINE ptrdiff_t swept_rows(const BlockSizes<A>& blocks, ptrdiff_t x_row) {
  using T = typename A::T;
  const ptrdiff_t least = 3 * blocks.least_rows, most = blocks.most_rows;
  if (blocks.least_rows > kSweptKernel<T> || least >= most || x_row <= 0) return most;
  const ptrdiff_t rows = kSweptBytes / (x_row * ptrdiff_t(sizeof(T)));
  return rows < least ? least : rows < most ? rows : most;
}

// Along one band of rows. What is left over at its end is covered by a block that
// overlaps its neighbour (the same bits once more), or by ever narrower ones where
// the outputs are added to.
template <class A>
void band(const BlockSizes<A>& blocks, const typename A::T* x, ptrdiff_t x_row, const Taps2D& g,
          typename A::T* y, ptrdiff_t y_row, ptrdiff_t rows, ptrdiff_t lanes, bool accumulate) {
  constexpr ptrdiff_t W = Shape<A>::W;
  const ptrdiff_t widest = blocks.of[blocks.widths - 1].vectors;
  const bool overlap = !accumulate && lanes >= W;
  for (ptrdiff_t c = 0; c < lanes;) {
    const ptrdiff_t left = overlap ? (lanes - c + W - 1) / W : (lanes - c) / W;
    if (left == 0) {
      return part_rows<A>(x + c, x_row, g, y + c * A::outputs, y_row, rows, lanes - c, accumulate);
    }
    // As even as they go: 30 vectors by at most 9 are 9, 9, 6, 6.
    const ptrdiff_t blocks_left = (left + widest - 1) / widest;
    const ptrdiff_t even = (left + blocks_left - 1) / blocks_left;
    int w = 0;
    while (blocks.of[w].vectors < even) ++w;
    while (blocks.of[w].vectors * W > (overlap ? lanes : lanes - c)) --w;
    const ptrdiff_t width = blocks.of[w].vectors * W;
    if (c + width > lanes) c = lanes - width;
    blocks.of[w].run(x + c, x_row, g, y + c * A::outputs, y_row, rows, accumulate);
    c += width;
  }
}

template <class A>
void direct2d(const void* x_data, ptrdiff_t x_row, const Taps2D& g, void* y_data, ptrdiff_t y_row,
              ptrdiff_t rows, ptrdiff_t cols, bool accumulate) {
  using T = typename A::T;
  const T* x = static_cast<const T*>(x_data);
  T* y = static_cast<T*>(y_data);
  x_row *= A::step;
  y_row *= A::step == 2 || A::parts == 2 ? 2 : 1;
  const BlockSizes<A>& tall = blocks_for<A>(g);
  const BlockSizes<A>& single = blocks_of_one_row<A>();
  for (ptrdiff_t r = 0; r < rows;) {
    if (rows - r < tall.least_rows && rows >= tall.least_rows && !accumulate) {
      r = rows - tall.least_rows;
    }
    const BlockSizes<A>& blocks = rows - r < tall.least_rows ? single : tall;
    const ptrdiff_t most = swept_rows<A>(blocks, x_row);
    const ptrdiff_t some = rows - r < most ? rows - r : most;
    band<A>(blocks, x + r * x_row, x_row, g, y + r * y_row, y_row, some, cols * A::step,
            accumulate);
    r += some;
  }
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
