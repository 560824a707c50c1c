// A signal that never ends: each push is the window of the last samples, kept, and the new
// ones. Short kernels, exact dtypes and pushes much longer than the kernel are ordinary jobs
// of the engine; a long kernel in floats meets blocks in the delay line.
//
// An output of the delay line is within a known E of the truth, and its sum of magnitudes is
// no less than itself, nor than any part of that sum: where either is at least 2 E / tol, the
// output keeps the promise of accuracy 'auto'. The others, and those that meet what the delay
// line could not take, are summed directly.
#include <math.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "delay.h"
#include "runtime.h"
#include "status.h"
#include "views.h"

namespace {

using namespace fastconv;

// A push longer than so many kernels is faster as an ordinary job: in float64 on avx512, 8.6 ns
// a sample against 23 with 20,000 taps, 7.8 against 13 with 1,000.
constexpr Index kManyKernels = 2;
// Samples that lines take at least before what is no longer needed is moved out of the way.
constexpr Index kRoom = 1024;

// Multiply-adds of which direct sums are certain on any level: those of fc_small.
constexpr Index kSmallMacs = 16384;
// Neighbours that are cheaper summed one by one than as a job of their own.
constexpr Index kFew = 4;

// Terms that are looked at before an output is summed again, which takes thousands.
constexpr Index kTerms = 128;

Index product_of(const fc_job& job) { return product(job.nbatch, job.batch); }

// The last `reach` samples of every channel, zeros before the first, with new ones behind.
class History {
 public:
  History(const fc_job& job, Index reach)
      : job_(job),
        item_(kItemSize[job.a_dtype]),
        reach_(reach),
        capacity_(reach + room()),
        data_(new char[size_t(
            bytes_of(1, &capacity_, item_ * std::max<Index>(1, product_of(job))))]()),
        origin_(-reach) {}

  Index room() const { return std::max(reach_, kRoom); }
  Index position() const { return position_; }

  // Samples first .. first + count - 1 of x, count <= room().
  void append(const fc_array& x, Index first, Index count) {
    if (position_ + count - origin_ > capacity_) {
      for (Index c = 0; c < product_of(job_); ++c)
        memmove(line(c), at(c, position_ - reach_), size_t(reach_ * item_));
      origin_ = position_ - reach_;
    }
    fc_array to = from(position_), part = x;
    part.data = static_cast<char*>(x.data) + first * x.stride[job_.nbatch];
    Index shape[FC_MAX_NDIM + 1];
    std::copy_n(job_.batch, job_.nbatch, shape);
    shape[job_.nbatch] = count;
    const int ndim = job_.nbatch + 1;
    copy({static_cast<char*>(to.data), ndim, shape, to.stride},
         {static_cast<char*>(part.data), ndim, shape, part.stride}, item_);
    position_ += count;
  }

  // As if there had been no sample.
  void clear() {
    memset(data_.get(), 0, size_t(capacity_ * item_ * product_of(job_)));
    position_ = 0, origin_ = -reach_;
  }

  // Passes over samples that more than `reach` others, yet to be appended, follow.
  void skip(Index count) {
    if (count > 0) position_ += count, origin_ = position_ - reach_;
  }

  const char* at(Index channel, Index moment) { return line(channel) + (moment - origin_) * item_; }

  // All channels from a moment on.
  fc_array from(Index moment) {
    fc_array lines;
    dense_strides(job_.nbatch, job_.batch, capacity_ * item_, lines.stride);
    lines.stride[job_.nbatch] = item_;
    lines.data = data_.get() + (moment - origin_) * item_;
    return lines;
  }

 private:
  char* line(Index channel) { return data_.get() + channel * capacity_ * item_; }

  const fc_job& job_;
  const Index item_, reach_, capacity_;
  std::unique_ptr<char[]> data_;
  Index position_ = 0, origin_;
};

// A lower bound of |x|: zero for a NaN.
template <class T>
double least_of(const T* x, bool pair) {
  const double re = fabs(double(x[0])), im = pair ? fabs(double(x[1])) : 0;
  return re > im ? re : im;
}

}  // namespace

struct fc_stream {
  fc_stream(const fc_job& job, const fc_array& v)
      : job_(job),
        line_job_(job),
        m_(job.axis[0].m),
        workers_(job.workers),
        table_(kernels(fc_level())) {
    job_.ndim = line_job_.ndim = 1;
    direct_.chosen.method = line_job_.method = FC_DIRECT;
    line_job_.nbatch = job_.after = line_job_.after = 0;
    const Index item = kItemSize[job.v_dtype];
    taps_.reset(new char[size_t(m_ * item)]);
    for (Index k = 0; k < m_; ++k) {
      memcpy(taps_.get() + k * item, static_cast<char*>(v.data) + k * v.stride[job.nbatch],
             size_t(item));
    }
    // A method is asked for one job; here there are as many as pushes.
    if (job.method != FC_DIRECT) job_.method = FC_AUTO;
    const bool may = job.method != FC_DIRECT && job.accuracy != FC_COMPONENTWISE;
    const Index block = may && is_float(job.v_dtype) ? delay_block(m_) : 0;
    Magnitudes magnitudes;
    if (block) measure(job.v_dtype, taps_.get(), m_, table_, magnitudes);
    if (block && PartedKernel::takes(magnitudes)) {
      kernel_.emplace(table_, job.a_dtype, job.v_dtype, taps_.get(), m_, block, magnitudes.max);
      loudest_ = is_single(job.v_dtype) ? loudest_tap<float>() : loudest_tap<double>();
    }
    for (Index c = 0; kernel_ && c < product_of(job_); ++c) delay_.emplace_back(*kernel_);
    const Index reach = kernel_ ? (kernel_->parts() + 1) * kernel_->block() : m_ - 1;
    history_.emplace(job_, reach);
  }
  fc_stream(const fc_stream&) = delete;
  fc_stream& operator=(const fc_stream&) = delete;

  void reset() {
    for (DelayLine& line : delay_) line.clear();
    history_->clear();
  }

  void push(const fc_array& x, Index n, const fc_array& out) {
    if (product_of(job_) == 0) return;
    if (kernel_ && n < kManyKernels * m_) return push_blocks(x, n, out);
    const Index head = n > history_->room() ? m_ - 1 : n, held = held_samples();
    history_->append(x, 0, head);
    run(job_, history_->from(history_->position() - head - held), held + head, m_, held,
        held + head, out);
    if (head == n) return;
    run(job_, x, n, m_, head, n, moved(out, head));
    const Index kept = std::min(n - head, history_->room());
    history_->skip(n - head - kept);
    history_->append(x, n - kept, kept);
  }

  // Outputs lo .. hi - 1 with nothing behind the last sample; all that they meet is kept.
  void tail(Index lo, Index hi, const fc_array& out) {
    const Index held = held_samples(), first = history_->position() - held;
    if (held == 0 || product_of(job_) == 0) return;
    run(job_, history_->from(first), held, m_, lo - first, hi - first, out);
  }

 private:
  template <class T>
  Index loudest_tap() const {
    const bool pair = is_complex(job_.v_dtype);
    const T* v = reinterpret_cast<const T*>(taps_.get());
    Index loudest = 0;
    double peak = 0;
    for (Index k = 0; k < m_; ++k) {
      const double size = least_of(v + k * (pair ? 2 : 1), pair);
      if (size > peak) peak = size, loudest = k;
    }
    return loudest;
  }

  Index held_samples() const { return std::min(history_->position(), m_ - 1); }

  fc_array moved(fc_array array, Index samples) const {
    array.data = static_cast<char*>(array.data) + samples * array.stride[job_.nbatch];
    return array;
  }

  // The window [lo, hi) of n samples with the first `taps` taps, directly where that is
  // certain: choosing takes longer than a small push. Workers are those of this moment.
  void run(fc_job& job, const fc_array& a, Index n, Index taps, Index lo, Index hi,
           const fc_array& out) {
    if (lo == hi) return;
    const bool direct = taps < m_ || product_of(job) * (hi - lo) * taps <= kSmallMacs;
    job.workers = direct_.workers = workers_ ? workers_ : fc_workers();
    job.axis[0] = {n, taps, lo, hi, FC_FILL};
    fc_array v = {};
    v.data = taps_.get();
    v.stride[job.nbatch] = kItemSize[job.v_dtype];
    for (int d = 0; d < job.nbatch; ++d) job.shared[d] = FC_SHARES_V;
    rethrow(fc_run(&job, direct ? &direct_ : nullptr, &a, &v, &out));
  }

  void push_blocks(const fc_array& x, Index n, const fc_array& out) {
    const Index B = kernel_->block();
    Context context(table_, job_.poll, job_.poll_context, 1);
    for (Index i = 0, some; i < n; i += some) {
      some = std::min(n - i, B - history_->position() % B);
      history_->append(x, i, some);
      is_single(job_.a_dtype) ? push_piece<float>(some, moved(out, i), context)
                              : push_piece<double>(some, moved(out, i), context);
    }
  }

  // `some` samples of one block have come.
  template <class T>
  void push_piece(Index some, const fc_array& out, Context& context) {
    Scratch scratch;
    const Index B = kernel_->block(), item = kernel_->reals_of_item();
    const Index start = history_->position() - some, j = start / B, channels = product_of(job_);
    const bool whole = some == B;
    T* y = scratch.take<T>(channels * some * item);
    fc_array dense = {};
    Index shape[FC_MAX_NDIM + 1];
    std::copy_n(job_.batch, job_.nbatch, shape);
    shape[job_.nbatch] = some;
    dense.data = y;
    dense_strides(job_.nbatch + 1, shape, item * Index(sizeof(T)), dense.stride);
    if (!whole) sum_first_part(some, dense);
    double* block = scratch.take<double>(B * item);
    for (Index c = 0; c < channels; ++c) {
      catch_up(c, whole ? j + 1 : j, j);
      double error;
      const double* sum = block;
      if (whole) {
        error = delay_[size_t(c)].sum(j, 0, block);
      } else {
        sum = delay_[size_t(c)].ahead(j, error) + start % B * item;
      }
      T* line = y + c * some * item;
      for (Index i = 0; i < some * item; ++i)
        line[i] = T(whole ? sum[i] : double(line[i]) + sum[i]);
      repair(c, start, some, error, line);
      context.spend(4.0 * double(kernel_->parts() * B));
    }
    copy({static_cast<char*>(out.data), job_.nbatch + 1, shape, out.stride},
         {static_cast<char*>(dense.data), job_.nbatch + 1, shape, dense.stride},
         item * Index(sizeof(T)));
  }

  // The first B taps, without delay. Zeros stand before the first sample: taps are finite.
  void sum_first_part(Index some, const fc_array& y) {
    const Index B = kernel_->block();
    run(job_, history_->from(history_->position() - some - B + 1), B - 1 + some, B, B - 1,
        B - 1 + some, y);
  }

  // Gives the blocks before `end` their spectra, as far as those of block j and later need them.
  void catch_up(Index c, Index end, Index j) {
    DelayLine& line = delay_[size_t(c)];
    const Index B = kernel_->block();
    for (Index b = std::max(line.entered(), j - kernel_->parts() + 1); b < end; ++b) {
      line.enter(b, job_.a_dtype, history_->at(c, (b - 1) * B));
    }
  }

  // Is the sum of magnitudes behind this output as large? The loudest tap and those behind
  // it tell: noise needs two or three.
  template <class T>
  bool terms_reach(Index c, Index moment, double least) {
    const bool x_pair = is_complex(job_.a_dtype), v_pair = is_complex(job_.v_dtype);
    const T* v = reinterpret_cast<const T*>(taps_.get()) + loudest_ * (v_pair ? 2 : 1);
    const T* x = reinterpret_cast<const T*>(history_->at(c, moment - loudest_));
    double sum = 0;
    for (Index k = 0; k < std::min(kTerms, m_ - loudest_) && sum < least; ++k) {
      sum +=
          least_of(v + k * (v_pair ? 2 : 1), v_pair) * least_of(x - k * (x_pair ? 2 : 1), x_pair);
    }
    return sum >= least;
  }

  void sum_one(Index c, Index moment, void* y) {
    const char* last = taps_.get() + (m_ - 1) * kItemSize[job_.v_dtype];
    table_.dot[pair_of(job_.a_dtype, job_.v_dtype)](history_->at(c, moment - m_ + 1), last, m_, y,
                                                    false);
  }

  template <class T>
  void repair(Index c, Index start, Index some, double error, T* y) {
    const Index item = kernel_->reals_of_item();
    const double tolerance = sizeof(T) == 4 ? 0x1p-8 : 0x1p-30;
    const double least = job_.accuracy == FC_NORMWISE ? 0 : 2 * error / tolerance;
    const Index touched = delay_[size_t(c)].touched_until();
    const auto is_right = [&](Index i) {
      return start + i >= touched &&
             (least_of(y + i * item, item == 2) >= least || terms_reach<T>(c, start + i, least));
    };
    for (Index i = 0, end; i < some; i = end) {
      end = i + 1;
      if (is_right(i)) continue;
      while (end < some && !is_right(end)) ++end;
      if (end - i <= kFew) {
        for (Index at = i; at < end; ++at) sum_one(c, start + at, y + at * item);
        continue;
      }
      fc_array line = {}, out = {};
      line.data = const_cast<char*>(history_->at(c, start + i - m_ + 1));
      line.stride[0] = kItemSize[job_.a_dtype];
      out.data = y + i * item;
      out.stride[0] = item * Index(sizeof(T));
      run(line_job_, line, m_ - 1 + end - i, m_, m_ - 1, m_ - 1 + end - i, out);
    }
  }

  fc_job job_, line_job_;  // of all channels, and of one
  const Index m_;
  const int workers_;  // 0: as many as the calls of a pushing thread have
  Index loudest_ = 0;  // tap
  fc_plan direct_ = {};
  const KernelTable& table_;  // spectra belong to a level
  std::unique_ptr<char[]> taps_;
  std::optional<LineKernel> kernel_;
  std::vector<DelayLine> delay_;  // by channel
  std::optional<History> history_;
};

extern "C" {

fc_stream* fc_stream_new(const fc_job* job, const fc_array* v) {
  fc_stream* stream = nullptr;
  caught([&] { stream = new fc_stream(*job, *v); });
  return stream;
}

void fc_stream_free(fc_stream* stream) { delete stream; }

void fc_stream_reset(fc_stream* stream) { stream->reset(); }

fc_status fc_stream_push(fc_stream* stream, const fc_array* x, ptrdiff_t n, const fc_array* out) {
  return caught([&] {
    if (n > 0) stream->push(*x, n, *out);
  });
}

fc_status fc_stream_tail(fc_stream* stream, ptrdiff_t lo, ptrdiff_t hi, const fc_array* out) {
  return caught([&] { stream->tail(lo, hi, *out); });
}
}
