// Tables of roots of unity, made once per shape and shared: immutable once
// published, safe for concurrent first use, no lock that a fork could leave taken.
#pragma once
#include <memory>

#include "kernels/table.h"
#include "lengths.h"

namespace fastconv {

// e^{-2 pi i e / order} in the kernels' real type, each part within 0.53 * 2^-53 of
// true in double where long double is wider (small parts are no better: only the error
// beside the modulus 1 counts in a transform).
class Roots {
 public:
  explicit Roots(Index order);
  ~Roots();
  template <class T>
  void write(Index e, T* pair) const;
  // Less 1, to the same absolute error as if there were no 1.
  template <class T>
  void write_less_one(Index e, T* pair) const;

 private:
  struct Tables;
  struct Parts {
    double re, im, re_rest, im_rest;
  };
  Parts parts(Index e) const;
  std::unique_ptr<Tables> tables_;
};

struct LaneTable {
  LanePlan plan;
  std::unique_ptr<char[]> twiddles;
};

// The tables of an n1 x n2 matrix transform. `weight` is null unless it is a
// right-angle one, `twist` is null for pictures; `twist_groups` as in Matrix.
struct MatrixTable {
  std::unique_ptr<char[]> weight, twist, twist_lane;
  Index twist_groups = 1;
};

// A table that is published (and lives for ever) or, past the cache's bound, this
// handle's own.
template <class T>
class Shared {
 public:
  explicit Shared(const T* published) : table_(published) {}
  explicit Shared(std::unique_ptr<const T> own) : table_(own.get()), own_(std::move(own)) {}
  const T* operator->() const { return table_; }
  const T& operator*() const { return *table_; }

 private:
  const T* table_;
  std::unique_ptr<const T> own_;
};

template <class T>
Shared<LaneTable> lane_table(Index length);

enum class Points { kCyclic, kRightAngle };
enum class Axes { kLine, kPicture };

template <class T>
Shared<MatrixTable> matrix_table(Split shape, int lanes, Points, Axes);

}  // namespace fastconv
