// What delivery counts, for Prometheus.
#pragma once

#include <array>
#include <cstdint>

#include "core/lane.hpp"
#include "smtp/queue/event.hpp"

namespace postern::smtp::delivery {

void count_event(const queue::DeliveryEvent& event);
void set_queue_depth(const std::array<std::int64_t, kLanes>& depth);
void add_in_flight(std::int64_t n);

}  // namespace postern::smtp::delivery
