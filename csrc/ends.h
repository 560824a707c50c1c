// One end of 'full' of lines beside each other: s itself, output by output.
#pragma once
#include <math.h>

#include <algorithm>

#include "quiet.h"
#include "survey.h"

namespace fastconv {

// Of a complex number no more than |x|, and at least 0.92 of it: hypot takes ten times as long.
template <class T>
T magnitude(const T* x, bool complex) {
  const T re = std::fabs(x[0]), im = complex ? std::fabs(x[1]) : 0;
  return complex ? std::max({re, im, (re + im) * T(kLeastShare)}) : re;
}

template <class T>
void magnitudes_as(const char* at, Index step, Index count, bool complex, T* to) {
  const T* x = reinterpret_cast<const T*>(at);
  if (!complex && step == sizeof(T)) {
    for (Index i = 0; i < count; ++i) to[i] = fabs(x[i]);
    return;
  }
  for (Index i = 0; i < count; ++i, at += step) {
    to[i] = magnitude(reinterpret_cast<const T*>(at), complex);
  }
}

// |a| and |v| of the first `count` outputs from there.
template <class T>
class Ends {
 public:
  Ends(const Problem& p, bool trailing, Index count, Context& context)
      : p_(p),
        columns_(cols_apart(p)),
        trailing_(trailing),
        count_(count),
        n_(columns_ ? p.rows : p.cols),
        m_(columns_ ? p.kh : p.kw),
        samples_(std::min(count, n_)),
        context_(context) {}

  Index taps() const { return std::min(count_, m_); }
  Index pitch(Index taps) const { return count_ + taps - 1; }

  // s of some lines as far as so many taps make it, a pitch apart. The lines lie in one, with
  // zeros between.
  const T* sums(Index line, Index lines, Index taps, T* a, T* s) const {
    const Index a_item = a_step(p_), v_item = kItemSize[p_.v_dtype];
    const Index step = columns_ ? p_.a_row : a_item, next = columns_ ? a_item : p_.a_row;
    const Index tap_step = columns_ ? p_.v_row : v_item, all = lines * pitch(taps);
    const char* first = p_.a + line * next + (trailing_ ? n_ - samples_ : 0) * step;
    T v[kLooked];
    magnitudes_as<T>(p_.v + (trailing_ ? m_ - taps : 0) * tap_step, tap_step, taps,
                     is_complex(p_.v_dtype), v);
    std::fill_n(a, all, T(0));
    T* to = a + (trailing_ ? count_ - samples_ : taps - 1);
    for (Index l = 0; l < lines; ++l, to += pitch(taps), first += next) {
      magnitudes_as<T>(first, step, samples_, is_complex(p_.a_dtype), to);
    }
    sums_within({0, all}, a, all, v, taps, s, context_);
    return s + taps - 1;
  }

  // Outputs up to the last that falls short.
  Index weak(const T* s, double loss) const {
    Index weak = 0;
    for (Index i = 0; i < count_; ++i) {
      if (double(s[trailing_ ? count_ - 1 - i : i]) < loss) weak = i + 1;
    }
    return weak;
  }

 private:
  const Problem& p_;
  const bool columns_, trailing_;
  const Index count_, n_, m_, samples_;
  Context& context_;
};

}  // namespace fastconv
