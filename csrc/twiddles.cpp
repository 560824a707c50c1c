#include "twiddles.h"

#include <math.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace fastconv {
namespace {

// No wider than a double on some systems; docs/accuracy.md tells what roots are then off by.
typedef long double Wide;
constexpr Wide kPi = 3.14159265358979323846264338327950288L;

struct Root {
  Wide re, im;
};

// e^{-2 pi i k / order}, the angle brought to the first octant exactly.
Root root(Index k, Index order) {
  const Index eighths = 8 * k, octant = eighths / order;
  Index rest = eighths - octant * order;
  if (octant & 1) rest = order - rest;
  const Wide angle = kPi / 4 * Wide(rest) / Wide(order);
  Wide c = cosl(angle), s = sinl(angle);
  if ((octant + 1) & 2) std::swap(c, s);
  if (octant >= 2 && octant < 6) c = -c;
  return {c, octant < 4 ? -s : s};
}

// Small tables are kept for ever: there are few hundred lengths that have them, and
// making one costs as much as tens of transforms of its length. Of the large ones,
// cheap beside what they are for, this much is kept; a call past it makes its own.
constexpr size_t kSmallBytes = size_t(256) << 10;
constexpr size_t kLargeBytes = size_t(64) << 20;
std::atomic<size_t> large_bytes{0};

bool may_publish(size_t bytes) {
  if (bytes <= kSmallBytes) return true;
  if (large_bytes.fetch_add(bytes) + bytes <= kLargeBytes) return true;
  large_bytes.fetch_sub(bytes);
  return false;
}
void unpublished(size_t bytes) {
  if (bytes > kSmallBytes) large_bytes.fetch_sub(bytes);
}

struct Key {
  Index a, b;
  int flags;
  bool operator==(const Key& o) const { return a == o.a && b == o.b && flags == o.flags; }
};

template <class Made>
struct Node {
  Key key;
  std::unique_ptr<const Made> made;
  Node* next;
};

// A list that only grows, by compare-and-swap. Two threads that make the same table
// at once both succeed; one of the two is thrown away.
template <class Made>
const Made* find(const Node<Made>* node, const Key& key) {
  for (; node; node = node->next) {
    if (node->key == key) return node->made.get();
  }
  return nullptr;
}

template <class Made>
struct Lists {
  static constexpr size_t kCount = 64;
  std::atomic<Node<Made>*> head[kCount] = {};
  std::atomic<Node<Made>*>& of(const Key& key) {
    return head[size_t(key.a * 31 + key.b * 7 + key.flags) % kCount];
  }
};

template <class Made, class Make>
Shared<Made> shared(Lists<Made>& lists, const Key& key, size_t bytes, Make make) {
  std::atomic<Node<Made>*>& head = lists.of(key);
  if (const Made* made = find(head.load(std::memory_order_acquire), key)) return Shared<Made>(made);
  std::unique_ptr<const Made> made(make());
  if (!may_publish(bytes)) return Shared<Made>(std::move(made));
  std::unique_ptr<Node<Made>> node(new Node<Made>{key, std::move(made), nullptr});
  node->next = head.load(std::memory_order_acquire);
  do {
    if (const Made* other = find(node->next, key)) {
      unpublished(bytes);
      return Shared<Made>(other);
    }
  } while (!head.compare_exchange_weak(node->next, node.get(), std::memory_order_acq_rel));
  return Shared<Made>(node.release()->made.get());
}

template <class T>
std::unique_ptr<char[]> reals(Index count) {
  return std::unique_ptr<char[]>(new char[size_t(count) * sizeof(T)]);
}

template <class T>
const LaneTable* make_lane_table(Index length) {
  std::unique_ptr<LaneTable> table(new LaneTable());
  LanePlan& plan = table->plan;
  plan.length = length;
  static_assert(Radices::kMost <= LanePlan::kMaxPasses, "a plan holds all passes");
  Index pairs = 0, n = length;
  for (int radix : radices(length)) {
    plan.radix[plan.passes++] = radix;
    n /= radix;
    pairs += n * (radix - 1);
  }
  constexpr Index kMargin = LanePlan::kMargin / Index(sizeof(T));
  table->twiddles = reals<T>(2 * pairs + kMargin);
  T* to = reinterpret_cast<T*>(table->twiddles.get());
  const Roots roots(length);
  n = length;
  for (int i = 0; i < plan.passes; ++i) {
    const int radix = plan.radix[i];
    plan.twiddle[i] = to;
    for (Index j = 0; j < n / radix; ++j) {
      for (int q = 1; q < radix; ++q, to += 2) roots.write(j * q * (length / n), to);
    }
    n /= radix;
  }
  std::fill_n(to, kMargin, T(0));
  return table.release();
}

// Which frequency stands at `position` of the plan's permuted order.
Index frequency(const LanePlan& plan, Index position) {
  Index k = 0, scale = 1, n = plan.length;
  for (int i = 0; i < plan.passes; ++i) {
    n /= plan.radix[i];
    k += position / n * scale;
    position %= n;
    scale *= plan.radix[i];
  }
  return k;
}

// How many columns share a factor of the twist: a line of cache's, at every level, so that the
// factors of 1e6 * 1e6 in f64 are 2 MB (4 MB if four columns shared one). Of few columns only those
// in one vector, since the angles between columns are large: f32, 50 * 50 at sse2 would be 1.3
// times as far off.
template <class T>
Index twist_columns(Index n2, int lanes) {
  constexpr Index kLine = 64 / Index(sizeof(T));
  return n2 >= 16 * kLine ? kLine : lanes;
}

// Column c of frequency k1: w_N^{c k1}, and with the right angle's e^{i pi c / 2N}
// w_{4N}^{c (4 k1 - 1)}. k1 is taken from -n1/2 on (another row order of the result, which
// nobody sees), and a shared factor from the middle of its columns, which keeps the
// angles between them small.
template <class T>
const MatrixTable* make_matrix_table(Split shape, int lanes, Points points, Axes axes) {
  std::unique_ptr<MatrixTable> table(new MatrixTable());
  const Index n1 = shape.n1, n2 = shape.n2;
  const bool right_angle = points == Points::kRightAngle;
  if (right_angle) {
    table->weight = reals<T>(2 * n1);
    T* to = reinterpret_cast<T*>(table->weight.get());
    const Roots roots(4 * n1);
    for (Index r = 0; r < n1; ++r, to += 2) roots.write(-r, to);
  }
  if (axes == Axes::kPicture) return table.release();

  const Roots roots(4 * n1 * n2);
  const Shared<LaneTable> column = lane_table<T>(n1);
  std::vector<Index> quarters;
  for (Index p = 0; p < n1; ++p) {
    const Index k1 = frequency(column->plan, p);
    quarters.push_back(4 * (2 * k1 < n1 ? k1 : k1 - n1) - (right_angle ? 1 : 0));
  }
  const Index columns = twist_columns<T>(n2, lanes);
  table->twist_groups = columns / lanes;
  table->twist = reals<T>(2 * n1 * ((n2 + columns - 1) / columns));
  T* to = reinterpret_cast<T*>(table->twist.get());
  for (Index c = 0; c < n2; c += columns) {
    for (Index q : quarters) roots.write((c + columns / 2) * q, to), to += 2;
  }
  table->twist_lane = reals<T>(2 * n1 * columns);
  to = reinterpret_cast<T*>(table->twist_lane.get());
  for (Index c = -columns / 2; c < columns - columns / 2; c += lanes) {
    for (Index q : quarters) {
      for (Index l = 0; l < lanes; ++l) {
        T pair[2];
        roots.write_less_one((c + l) * q, pair);
        to[l] = pair[0];
        to[l + lanes] = pair[1];
      }
      to += 2 * lanes;
    }
  }
  return table.release();
}

}  // namespace

// root(e) = coarse(high) (1 + fine(low)), e = high << shift | low. |fine| < 2 pi / kCoarse,
// so that the sum is rounded about once: coarse is kept as a double and what is left of
// it. About sqrt(order) sines of each are enough.
constexpr Index kCoarse = 256;

struct Roots::Tables {
  Index order;
  int shift = 0;
  std::vector<double> coarse, fine;

  explicit Tables(Index order) : order(order) {
    while ((order >> shift) > kCoarse && (Index(1) << (2 * shift)) < order) ++shift;
    for (Index high = 0; (high << shift) < order; ++high) {
      const Root w = root(high << shift, order);
      coarse.insert(coarse.end(), {double(w.re), double(w.im), double(w.re - double(w.re)),
                                   double(w.im - double(w.im))});
    }
    for (Index low = 0; low < Index(1) << shift; ++low) {
      const Wide angle = 2 * kPi * Wide(low) / Wide(order), s = sinl(angle / 2);
      fine.insert(fine.end(), {double(-2 * s * s), double(-sinl(angle))});
    }
  }
};

Roots::Roots(Index order) : tables_(new Tables(order)) {}
Roots::~Roots() = default;

// A double and what is left of it. e may be negative.
Roots::Parts Roots::parts(Index e) const {
  e %= tables_->order;
  if (e < 0) e += tables_->order;
  const double* w = &tables_->coarse[size_t(4 * (e >> tables_->shift))];
  const double* d = &tables_->fine[size_t(2 * (e & ((Index(1) << tables_->shift) - 1)))];
  return {w[0], w[1], w[2] + (w[0] * d[0] - w[1] * d[1]), w[3] + (w[0] * d[1] + w[1] * d[0])};
}

template <class T>
void Roots::write(Index e, T* pair) const {
  const Parts w = parts(e);
  pair[0] = T(w.re + w.re_rest);
  pair[1] = T(w.im + w.im_rest);
}

template <class T>
void Roots::write_less_one(Index e, T* pair) const {
  const Parts w = parts(e);
  pair[0] = T((w.re - 1) + w.re_rest);
  pair[1] = T(w.im + w.im_rest);
}

template <class T>
Shared<LaneTable> lane_table(Index length) {
  static Lists<LaneTable> lists;
  return shared(lists, {length, 0, 0}, size_t(length) * 2 * sizeof(T),
                [&] { return make_lane_table<T>(length); });
}

template <class T>
Shared<MatrixTable> matrix_table(Split shape, int lanes, Points points, Axes axes) {
  static Lists<MatrixTable> lists;
  const Index columns = twist_columns<T>(shape.n2, lanes);
  const Index pairs = shape.n1 * (shape.n2 / columns + columns + 2);
  return shared(lists, {shape.n1, shape.n2, lanes * 4 + int(points) * 2 + int(axes)},
                size_t(pairs) * 2 * sizeof(T),
                [&] { return make_matrix_table<T>(shape, lanes, points, axes); });
}

template Shared<LaneTable> lane_table<float>(Index);
template Shared<LaneTable> lane_table<double>(Index);
template Shared<MatrixTable> matrix_table<float>(Split, int, Points, Axes);
template Shared<MatrixTable> matrix_table<double>(Split, int, Points, Axes);

}  // namespace fastconv
