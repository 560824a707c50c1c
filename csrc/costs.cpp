// The selector's constants as data: shipped ones, and those that are set in their place.
#include "costs.h"

#include <stddef.h>
#include <string.h>

#include <atomic>
#include <new>

#include "shipped.h"

namespace fastconv {
namespace {

struct Field {
  const char* name;
  size_t begin, bytes;
};

// In the order of Costs, which is doubles throughout.
#define FIELD(name) {#name, offsetof(Costs, name), sizeof(Costs::name)}
constexpr Field kFields[] = {
    FIELD(direct_call),    FIELD(direct_rate),   FIELD(direct_fixed), FIELD(direct2d_rate),
    FIELD(direct2d_fixed), FIELD(lanes_call),    FIELD(lanes_piece),  FIELD(lanes_point),
    FIELD(lanes_pass),     FIELD(lanes_spill),   FIELD(lanes_stream), FIELD(matrix_call),
    FIELD(matrix_piece),   FIELD(matrix_point),  FIELD(matrix_pass),  FIELD(matrix_mid),
    FIELD(matrix_far),     FIELD(matrix_stream), FIELD(guard),        FIELD(convert),
};
#undef FIELD
constexpr int kFieldCount = int(sizeof kFields / sizeof kFields[0]);

// Where the fields end if each begins where the one before does; else nowhere.
constexpr size_t end_of_fields() {
  size_t end = 0;
  for (const Field& field : kFields) {
    if (field.begin != end) return 0;
    end += field.bytes;
  }
  return end;
}
static_assert(end_of_fields() == sizeof(Costs), "kFields names all of Costs in its order");

// Once published, immutable and never freed: a choice on another thread may be reading.
struct Published {
  Costs costs;
  const Published* before;  // keeps it within reach
};

constexpr int kMostLevels = 8;
std::atomic<const Costs*> believed[kMostLevels];  // null until they are asked for or set
std::atomic<const Published*> newest;

template <size_t N>
const Costs* row_of(const Shipped (&table)[N], const char* level) {
  for (const Shipped& row : table) {
    if (!strcmp(row.level, level)) return &row.costs;
  }
  return nullptr;
}

const Costs* shipped(int level) {
  const char* name = kernels(level).name;
  const Maker made_by = maker();
  const Costs* costs = made_by == Maker::kIntel  ? row_of(kIntelCosts, name)
                       : made_by == Maker::kZen5 ? row_of(kZen5Costs, name)
                                                 : nullptr;
  if (!costs) costs = row_of(kAmdCosts, name);
  return costs ? costs : &kAmdCosts[0].costs;
}

}  // namespace

// Shipped ones are sought once: five names compared are a fifth of a small call's choice.
const Costs& costs_of(int level) {
  const Costs* costs = believed[level].load(std::memory_order_acquire);
  if (costs) return *costs;
  const Costs* found = shipped(level);
  return believed[level].compare_exchange_strong(costs, found) ? *found : *costs;
}

double macs_in(double ns, const Problem& p) {
  const Costs& costs = costs_of(fc_level());
  const bool flat = p.kh == 1 || p.kw == 1;
  return ns * (flat ? costs.direct_rate : costs.direct2d_rate)[pair_of(p.a_dtype, p.v_dtype)];
}

}  // namespace fastconv

extern "C" {

using namespace fastconv;

int fc_cost_fields(void) { return kFieldCount; }

const char* fc_cost_name(int field) { return kFields[field].name; }

int fc_cost_size(int field) { return int(kFields[field].bytes / sizeof(double)); }

void fc_get_costs(int level, double* values) { memcpy(values, &costs_of(level), sizeof(Costs)); }

fc_status fc_set_costs(int level, const double* values) {
  const Costs* costs = shipped(level);
  if (values) {
    Published* set = new (std::nothrow) Published;
    if (!set) return FC_NO_MEMORY;
    memcpy(&set->costs, values, sizeof(Costs));
    set->before = newest.load(std::memory_order_relaxed);
    while (!newest.compare_exchange_weak(set->before, set, std::memory_order_acq_rel)) {
    }
    costs = &set->costs;
  }
  believed[level].store(costs, std::memory_order_release);
  return FC_OK;
}
}
