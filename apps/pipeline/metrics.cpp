#include "apps/pipeline/metrics.h"

namespace intaglio {
MetricRequest request_of(const MetricOptions& o, std::vector<Metric> gated, bool labels,
                         bool reference) {
  MetricRequest request;
  for (const std::string& name : o.metrics) request.metrics.push_back(parse_metric(name));
  request.gated = std::move(gated);
  request.labels = labels;
  request.reference = reference;
  request.decoder = o.decoder;
  request.detect = o.detect;
  request.blank = o.blank;
  require_decoder_name(o.decoder);
  return request;
}

void require_plannable(const MetricRequest& request, const Graph& graph) {
  if (const auto declared = signature_of(graph)) plan_metrics(request, *declared);
}

}  // namespace intaglio
