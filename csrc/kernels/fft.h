// W complex transforms side by side, one a lane, so no vector is ever shuffled.
//
// Forward, decimation in frequency (Gentleman, Sande 1966): a pass of radix R over
// n points takes x[j + q n/R], q < R, through an R-point transform; output q,
// times w_n^{jq}, is point j of sub-transform q, which holds the frequencies
// k = q mod R. Nothing is reordered, so frequencies end up permuted; the inverse
// is the mirror image (decimation in time) and takes that order back.
//
// The recursion is depth-first: a sub-transform that fits a cache level goes down
// to its leaves and up again before the next one is touched. At a leaf the last
// forward stage, the product with the spectrum and the first inverse stage are done
// in registers. 5 n log2 n flops are the customary count a transform.
//
// The inverse of z is the forward transform with the real and imaginary parts
// changing places (i conj(z) instead of z), so one butterfly serves both ways.
#pragma once
#include "lanes.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

template <class V>
struct Complex {
  V re, im;
};

template <class V>
FC_INLINE Complex<V> operator+(Complex<V> x, Complex<V> y) {
  return {x.re + y.re, x.im + y.im};
}
template <class V>
FC_INLINE Complex<V> operator-(Complex<V> x, Complex<V> y) {
  return {x.re - y.re, x.im - y.im};
}
template <class V>
FC_INLINE Complex<V> operator*(Complex<V> x, Complex<V> y) {
  return {fma(-x.im, y.im, x.re * y.re), fma(x.re, y.im, x.im * y.re)};
}
// x - i y and x + i y.
template <class V>
FC_INLINE Complex<V> minus_i(Complex<V> x, Complex<V> y) {
  return {x.re + y.im, x.im - y.re};
}
template <class V>
FC_INLINE Complex<V> plus_i(Complex<V> x, Complex<V> y) {
  return {x.re - y.im, x.im + y.re};
}

// The R-point transform of x in place, for R up to 5. Additions are left as additions: Zen and
// Apple cores add beside the FMA pipes.
template <class T, int R>
FC_INLINE void small_butterfly(Complex<Vec<T>>* x) {
  typedef Vec<T> V;
  typedef Complex<V> C;
  if constexpr (R == 2) {
    const C a = x[0], b = x[1];
    x[0] = a + b;
    x[1] = a - b;
  } else if constexpr (R == 3) {
    const V half = broadcast<T>(T(-0.5)), sin60 = broadcast<T>(T(0.86602540378443864676));
    const C sum = x[1] + x[2], difference = x[1] - x[2];
    const C t = {fma(sum.re, half, x[0].re), fma(sum.im, half, x[0].im)};
    const C u = {difference.re * sin60, difference.im * sin60};
    x[0] = x[0] + sum;
    x[1] = minus_i(t, u);
    x[2] = plus_i(t, u);
  } else if constexpr (R == 4) {
    const C a = x[0] + x[2], b = x[1] + x[3], c = x[0] - x[2], d = x[1] - x[3];
    x[0] = a + b;
    x[1] = minus_i(c, d);
    x[2] = a - b;
    x[3] = plus_i(c, d);
  } else if constexpr (R == 5) {
    const V cos72 = broadcast<T>(T(0.30901699437494742410));
    const V cos144 = broadcast<T>(T(-0.80901699437494742410));
    const V sin72 = broadcast<T>(T(0.95105651629515357212));
    const V sin144 = broadcast<T>(T(0.58778525229247312917));
    const C s = x[1] + x[4], t = x[2] + x[3], d = x[1] - x[4], e = x[2] - x[3];
    const C p = {fma(t.re, cos144, fma(s.re, cos72, x[0].re)),
                 fma(t.im, cos144, fma(s.im, cos72, x[0].im))};
    const C q = {fma(t.re, cos72, fma(s.re, cos144, x[0].re)),
                 fma(t.im, cos72, fma(s.im, cos144, x[0].im))};
    const C u = {fma(e.re, sin144, d.re * sin72), fma(e.im, sin144, d.im * sin72)};
    const C v = {fma(-e.re, sin72, d.re * sin144), fma(-e.im, sin72, d.im * sin144)};
    x[0] = x[0] + (s + t);
    x[1] = minus_i(p, u);
    x[2] = minus_i(q, v);
    x[3] = plus_i(q, v);
    x[4] = plus_i(p, u);
  }
}

// The eight-point transform. Half of the frequencies are put away before the other half is begun:
// all at once do not fit in 16 registers, and what is spilled is stored at one vector a cycle
// (Zen 3: transforms take 0.93 to 0.99 of the time so). `twice`: the odd points are got a second
// time rather than kept, which costs nothing where a point is but loaded. GCC computes in the order
// of the statements: with c1 and c3 before b1 and b3 it spills half as much again, up to 1.08 of
// the time.
template <class T, bool twice, class Get, class Put>
FC_INLINE void butterfly_of_8(Get get, Put put) {
  typedef Complex<Vec<T>> C;
  const Vec<T> root = broadcast<T>(T(0.70710678118654752440));
  const C x0 = get(0), x4 = get(4);
  const C a0 = x0 + x4, b0 = x0 - x4;
  const C x2 = get(2), x6 = get(6);
  const C a2 = x2 + x6, b2 = x2 - x6;
  const C c0 = a0 + a2, c2 = a0 - a2, d0 = minus_i(b0, b2), d2 = plus_i(b0, b2);

  const C x1 = get(1), x5 = get(5);
  const C a1 = x1 + x5;
  C b1, b3;
  if constexpr (!twice) b1 = x1 - x5;
  const C x3 = get(3), x7 = get(7);
  const C a3 = x3 + x7;
  if constexpr (!twice) b3 = x3 - x7;
  const C c1 = a1 + a3, c3 = a1 - a3;
  put(0, c0 + c1);
  put(4, c0 - c1);
  put(2, minus_i(c2, c3));
  put(6, plus_i(c2, c3));

  if constexpr (twice) b1 = get(1) - get(5), b3 = get(3) - get(7);
  // b1 w_8 and b3 w_8^3, without the root that both have.
  const C e1 = {b1.re + b1.im, b1.im - b1.re}, e3 = {b3.im - b3.re, b3.re + b3.im};
  const C f0 = {e1.re + e3.re, e1.im - e3.im}, f1 = {e1.re - e3.re, e1.im + e3.im};
  put(1, C{fma(f0.re, root, d0.re), fma(f0.im, root, d0.im)});
  put(5, C{fma(-f0.re, root, d0.re), fma(-f0.im, root, d0.im)});
  put(3, C{fma(f1.im, root, d2.re), fma(-f1.re, root, d2.im)});
  put(7, C{fma(-f1.im, root, d2.re), fma(f1.re, root, d2.im)});
}

// The R-point transform of get(0) .. get(R - 1), put at 0 .. R - 1. `simple`: get only loads. The
// place of a point may be overwritten as soon as its frequency is put.
template <class T, int R, bool simple, class Get, class Put>
FC_INLINE void butterfly(Get get, Put put) {
  if constexpr (R == 8) {
    butterfly_of_8<T, simple && kRegisters == 16>(get, put);
  } else {
    Complex<Vec<T>> x[R];
#pragma GCC unroll 8
    for (int q = 0; q < R; ++q) x[q] = get(q);
    small_butterfly<T, R>(x);
#pragma GCC unroll 8
    for (int q = 0; q < R; ++q) put(q, x[q]);
  }
}

template <class T, bool Inverse>
FC_INLINE Complex<Vec<T>> load_point(const T* z) {
  constexpr int W = kLanes<T>;
  return {load(z + (Inverse ? W : 0)), load(z + (Inverse ? 0 : W))};
}
template <class T, bool Inverse>
FC_INLINE void store_point(T* z, Complex<Vec<T>> x) {
  constexpr int W = kLanes<T>;
  store<T>(z + (Inverse ? W : 0), x.re);
  store<T>(z + (Inverse ? 0 : W), x.im);
}
template <class T>
FC_INLINE Complex<Vec<T>> broadcast_point(const T* w) {
  return {broadcast<T>(w[0]), broadcast<T>(w[1])};
}

// One pass over n points. Forward: butterfly, then twiddles. Inverse: twiddles,
// then butterfly, on exchanged parts.
template <class T, int R, bool Inverse>
void pass(T* z, ptrdiff_t n, const T* twiddle) {
  constexpr int W = kLanes<T>;
  const ptrdiff_t part = n / R * 2 * W;
  for (T* end = z + part; z < end; z += 2 * W, twiddle += 2 * (R - 1)) {
    const auto turned = [&](int q, Complex<Vec<T>> x) FC_LAMBDA {
      return q ? x * broadcast_point<T>(twiddle + 2 * (q - 1)) : x;
    };
    butterfly<T, R, !Inverse>(
        [&](int q) FC_LAMBDA {
          const Complex<Vec<T>> x = load_point<T, Inverse>(z + q * part);
          return Inverse ? turned(q, x) : x;
        },
        [&](int q, Complex<Vec<T>> x)
            FC_LAMBDA { store_point<T, Inverse>(z + q * part, Inverse ? x : turned(q, x)); });
  }
}

template <class T, bool Inverse>
void any_pass(int radix, T* z, ptrdiff_t n, const void* twiddle) {
  const T* w = static_cast<const T*>(twiddle);
  switch (radix) {
    case 2: return pass<T, 2, Inverse>(z, n, w);
    case 3: return pass<T, 3, Inverse>(z, n, w);
    case 4: return pass<T, 4, Inverse>(z, n, w);
    case 5: return pass<T, 5, Inverse>(z, n, w);
    default: return pass<T, 8, Inverse>(z, n, w);
  }
}

// What is done with the frequencies at a leaf; `step` is the size of a point of the
// spectrum, in reals.
template <class T, Transform What>
struct Leaf {
  static constexpr bool forward = What != kInverse, inverse = What != kForward;
  static constexpr int step = What == kFilter ? 2 : What == kProduct ? 2 * kLanes<T> : 0;

  static FC_INLINE Complex<Vec<T>> times(Complex<Vec<T>> x, const T* h) {
    if constexpr (What == kFilter) return x * broadcast_point<T>(h);
    if constexpr (What == kProduct) return x * load_point<T, false>(h);
    return x;
  }
};

// `count` neighbouring leaves of R points.
template <class T, int R, Transform What>
void leaves(T* z, ptrdiff_t count, const T* h) {
  typedef Leaf<T, What> L;
  typedef Complex<Vec<T>> C;
  constexpr int W = kLanes<T>;
  for (; count > 0; --count, z += 2 * W * R, h += L::step * R) {
    const auto get = [&](int q) FC_LAMBDA { return load_point<T, !L::forward>(z + 2 * W * q); };
    const auto put = [&](int q, C x) FC_LAMBDA { store_point<T, L::inverse>(z + 2 * W * q, x); };
    if constexpr (L::forward && L::inverse) {
      C y[R];
      butterfly<T, R, true>(get, [&](int q, C x) FC_LAMBDA {
        x = L::times(x, h + L::step * q);
        y[q] = {x.im, x.re};
      });
      butterfly<T, R, false>([&](int q) FC_LAMBDA { return y[q]; }, put);
    } else {
      butterfly<T, R, true>(get, put);
    }
  }
}

template <class T, Transform What>
void any_leaves(int radix, T* z, ptrdiff_t count, const T* h) {
  switch (radix) {
    case 1: return leaves<T, 1, What>(z, count, h);
    case 2: return leaves<T, 2, What>(z, count, h);
    case 3: return leaves<T, 3, What>(z, count, h);
    case 4: return leaves<T, 4, What>(z, count, h);
    case 5: return leaves<T, 5, What>(z, count, h);
    default: return leaves<T, 8, What>(z, count, h);
  }
}

template <class T, Transform What>
void recurse(T* z, const LanePlan& plan, int at, ptrdiff_t n, const T* h) {
  typedef Leaf<T, What> L;
  const int radix = plan.radix[at];
  if (at + 1 == plan.passes) return any_leaves<T, What>(radix, z, 1, h);
  const ptrdiff_t sub = n / radix;
  if (L::forward) any_pass<T, false>(radix, z, n, plan.twiddle[at]);
  if (at + 2 == plan.passes) {
    any_leaves<T, What>(int(sub), z, radix, h);
  } else {
    for (int q = 0; q < radix; ++q) {
      recurse<T, What>(z + 2 * kLanes<T> * sub * q, plan, at + 1, sub, h + L::step * sub * q);
    }
  }
  if (L::inverse) any_pass<T, true>(radix, z, n, plan.twiddle[at]);
}

template <class T>
void transform(void* points, const LanePlan& plan, Transform what, const void* spectrum) {
  T* z = static_cast<T*>(points);
  const T* h = static_cast<const T*>(spectrum);
  switch (what) {
    case kForward: return recurse<T, kForward>(z, plan, 0, plan.length, h);
    case kInverse: return recurse<T, kInverse>(z, plan, 0, plan.length, h);
    case kFilter: return recurse<T, kFilter>(z, plan, 0, plan.length, h);
    case kProduct: return recurse<T, kProduct>(z, plan, 0, plan.length, h);
  }
}

// sum = sum_q x[q] h[q] of points j .. j + Points - 1.
template <class T, bool Filter, int Points>
FC_INLINE void add_products(const void* const* x, const void* const* h, int count, ptrdiff_t j,
                            T* sum) {
  constexpr int W = kLanes<T>;
  Complex<Vec<T>> total[Points] = {};
  for (int q = 0; q < count; ++q) {
    const T* z = static_cast<const T*>(x[q]) + 2 * W * j;
    const T* f = static_cast<const T*>(h[q]) + (Filter ? 2 : 2 * W) * j;
#pragma GCC unroll 4
    for (int i = 0; i < Points; ++i) {
      const Complex<Vec<T>> a = load_point<T, false>(z + 2 * W * i);
      const Complex<Vec<T>> b =
          Filter ? broadcast_point<T>(f + 2 * i) : load_point<T, false>(f + 2 * W * i);
      total[i].re = fma(-a.im, b.im, fma(a.re, b.re, total[i].re));
      total[i].im = fma(a.im, b.re, fma(a.re, b.im, total[i].im));
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < Points; ++i) store_point<T, false>(sum + 2 * W * (j + i), total[i]);
}

template <class T, bool Filter>
void products(const void* const* x, const void* const* h, int count, ptrdiff_t length, void* sum) {
  constexpr int kAtOnce = 4;
  T* y = static_cast<T*>(sum);
  ptrdiff_t j = 0;
  for (; j + kAtOnce <= length; j += kAtOnce) add_products<T, Filter, kAtOnce>(x, h, count, j, y);
  for (; j < length; ++j) add_products<T, Filter, 1>(x, h, count, j, y);
}

// --- The spectrum of one short kernel -------------------------------------------

// W samples of v from `first` on, zeros beyond its m.
template <class T>
FC_INLINE Complex<Vec<T>> samples(const T* v, ptrdiff_t m, bool pairs, ptrdiff_t first) {
  constexpr int W = kLanes<T>;
  Complex<Vec<T>> x = {broadcast<T>(T(0)), broadcast<T>(T(0))};
  const ptrdiff_t count = m - first < W ? m - first : W;
  if (count <= 0) return x;
  T part[2 * W] = {};
  if (count < W) {
    for (ptrdiff_t i = 0; i < (pairs ? 2 : 1) * count; ++i)
      part[i] = v[first * (pairs ? 2 : 1) + i];
  }
  if (pairs) {
    load_pairs(count < W ? part : v + 2 * first, x.re, x.im);
  } else {
    x.re = load(count < W ? part : v + first);
  }
  return x;
}

// The factors of sub-transforms `first` .. first + W - 1 at one point, whose pairs from the second
// sub-transform on (the first has 1) are at `twiddle`.
template <class T, int... I>
FC_INLINE Vec<T> behind(T first, Vec<T> x, Indices<I...>) {
  return __builtin_shufflevector(broadcast<T>(first), x, (I ? int(sizeof...(I)) + I - 1 : 0)...);
}
template <class T>
FC_INLINE Complex<Vec<T>> factors_at(const T* twiddle, int first) {
  Complex<Vec<T>> w = {broadcast<T>(T(1)), broadcast<T>(T(0))};
  if (first > 0) {
    load_pairs(twiddle + 2 * (first - 1), w.re, w.im);
  } else if constexpr (kLanes<T> > 1) {
    load_pairs(twiddle, w.re, w.im);
    w = {behind<T>(T(1), w.re, LaneIndices<T>()), behind<T>(T(0), w.im, LaneIndices<T>())};
  }
  return w;
}

// The first pass of one transform, whose R sub-transforms go to a lane each, W of them after
// another W: points j .. j + W - 1 of all of them at a time.
template <class T, int R>
void spread(const T* v, ptrdiff_t m, bool pairs, const LanePlan& plan, T* z) {
  constexpr int W = kLanes<T>, kGroups = (R + W - 1) / W;
  const ptrdiff_t sub = plan.length / R;
  for (ptrdiff_t j = 0; j < sub; j += W) {
    const int count = sub - j < W ? int(sub - j) : W;
    Complex<Vec<T>> x[kGroups * W] = {};
    butterfly<T, R, false>([&](int p) FC_LAMBDA { return samples(v, m, pairs, j + p * sub); },
                           [&](int q, Complex<Vec<T>> y) FC_LAMBDA { x[q] = y; });
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) {
      Vec<T> re[W], im[W];
#pragma GCC unroll 16
      for (int q = 0; q < W; ++q) re[q] = x[g * W + q].re, im[q] = x[g * W + q].im;
      transpose<T>(re);
      transpose<T>(im);
      // By now the lanes are the sub-transforms, whose factors lie side by side.
      const T* twiddle = static_cast<const T*>(plan.twiddle[0]) + 2 * (R - 1) * j;
      T* to = z + 2 * W * (g * sub + j);
#pragma GCC unroll 16
      for (int l = 0; l < W; ++l) {
        if (l == count) break;
        const Complex<Vec<T>> w = factors_at<T>(twiddle + 2 * (R - 1) * l, g * W);
        store_point<T, false>(to + 2 * W * l, Complex<Vec<T>>{re[l], im[l]} * w);
      }
    }
  }
}

template <class T>
void spread_any(const T* v, ptrdiff_t m, bool pairs, const LanePlan& plan, T* z) {
  switch (plan.radix[0]) {
    case 2: return spread<T, 2>(v, m, pairs, plan, z);
    case 3: return spread<T, 3>(v, m, pairs, plan, z);
    case 4: return spread<T, 4>(v, m, pairs, plan, z);
    case 5: return spread<T, 5>(v, m, pairs, plan, z);
    default: return spread<T, 8>(v, m, pairs, plan, z);
  }
}

// h = the first `parts` lanes of z, one after another, scaled.
template <class T>
void collect(const T* z, int parts, ptrdiff_t length, T scale, T* h) {
  constexpr int W = kLanes<T>;
  ptrdiff_t p = 0;
  for (; p + W <= length; p += W) {
    Vec<T> re[W], im[W];
    load_transposed<T>(re, [&](int l) { return z + 2 * W * (p + l); });
    load_transposed<T>(im, [&](int l) { return z + 2 * W * (p + l) + W; });
#pragma GCC unroll 16
    for (int q = 0; q < W; ++q) {
      if (q == parts) break;
      store_pairs(h + 2 * (q * length + p), re[q] * scale, im[q] * scale);
    }
  }
  for (; p < length; ++p) {
    for (int q = 0; q < parts; ++q) {
      h[2 * (q * length + p)] = z[2 * W * p + q] * scale;
      h[2 * (q * length + p) + 1] = z[2 * W * p + W + q] * scale;
    }
  }
}

// The sub-transforms of the first pass share the lanes: W times faster than a transform in one
// lane of W.
template <class T>
void spectrum(const void* samples_of_v, ptrdiff_t m, bool pairs, double scale, const LanePlan& plan,
              void* points, void* factors) {
  constexpr int W = kLanes<T>;
  const T* v = static_cast<const T*>(samples_of_v);
  T* z = static_cast<T*>(points);
  T* h = static_cast<T*>(factors);
  LanePlan rest = plan;
  int parts = 1;
  if (plan.passes > 1) {
    spread_any(v, m, pairs, plan, z);
    parts = plan.radix[0];
    rest.length /= parts;
    for (int i = 1; i < plan.passes; ++i) {
      rest.radix[i - 1] = plan.radix[i];
      rest.twiddle[i - 1] = plan.twiddle[i];
    }
    --rest.passes;
  } else {
    memset(z, 0, size_t(2 * W * plan.length) * sizeof(T));
    for (ptrdiff_t k = 0; k < m; ++k) {
      z[2 * W * k] = pairs ? v[2 * k] : v[k];
      if (pairs) z[2 * W * k + W] = v[2 * k + 1];
    }
  }
  for (; parts > 0; parts -= W, z += 2 * W * rest.length, h += 2 * W * rest.length) {
    recurse<T, kForward>(z, rest, 0, rest.length, nullptr);
    collect(z, parts < W ? parts : W, rest.length, T(scale), h);
  }
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
