// What chooses codes and parameters of weights in groups (calibration/groups has the methods).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lib/quant/groups.h"

namespace intaglio {

// The weights of up to 64 outputs, quantized.
struct QuantizedPanel {
  std::vector<PanelCodes> codes;    // as many as rows
  std::vector<GroupParams> params;  // as many as groups: rows / group, rounded up
};

class GroupMethod {
 public:
  virtual ~GroupMethod() = default;
  // weights: finite, a row for each input; outputs that a panel has too many are zeros. The result
  // depends on nothing else, so that panels may be taken in any order and side by side. The sizes of
  // `result` are right already.
  // first_input: the number of the first row; not 0 only where groups are independent.
  virtual void quantize(std::span<const PanelRow> weights, std::size_t first_input,
                        std::size_t group, const GroupGrid& grid, QuantizedPanel& result) const = 0;
  // Whether a group is quantized the same without the others: then weights may come in parts.
  virtual bool independent_groups() const { return false; }
};

// A method that chooses the parameters of each group by its weights alone; codes are the nearest.
class IndependentGroups : public GroupMethod {
 public:
  void quantize(std::span<const PanelRow> weights, std::size_t first_input, std::size_t group,
                const GroupGrid& grid, QuantizedPanel& result) const final;
  bool independent_groups() const final { return true; }

 private:
  // first_input: the number of the first row of the group.
  virtual GroupParams choose(std::span<const PanelRow> weights, std::size_t first_input,
                             const GroupGrid& grid) const = 0;
};

}  // namespace intaglio
