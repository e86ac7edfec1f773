"""What the doors do later: matching agents, counting hours, forgetting what was refused long ago. Each is safe to run twice."""

from __future__ import annotations

from django.tasks import task

from staffroom.exchange.actions import agents, crediting, forwarding, mappings, rejections
from staffroom.exchange.models import DayToCount, Destination, Mapping


@task
def forget_rejections() -> int:
    """Remove refusals older than a week. Safe to run twice."""
    return rejections.forget_old()


@task
def forward(destination_id: int) -> int:
    """Send what waits for another record store, from where it was left."""
    found = Destination.objects.filter(pk=destination_id).first()
    return forwarding.forward(destination=found) if found else 0


@task
def forward_everywhere() -> int:
    """Begin to send to every store for which something waits."""
    return forwarding.begin_all()


@task
def match_agents(tenant_id: int) -> int:
    """Match the agents of a district that wait for a person."""
    return agents.match_waiting(tenant_id=tenant_id)


@task
def match_everywhere() -> int:
    """Match the waiting agents of all districts, and mend what came in at the very moment of a match."""
    for agent_id in agents.carried_lately():
        agents.carry_back(agent_id=agent_id)
    return sum(agents.match_waiting(tenant_id=tenant) for tenant in agents.tenants_waiting())


@task
def carry_back(agent_id: int) -> int:
    """Make an agent's earlier entries those of the person whom it is matched to."""
    return agents.carry_back(agent_id=agent_id)


@task
def apply_mapping(mapping_id: int) -> int:
    """Count every day that a mapping touches."""
    return mappings.apply(Mapping.objects.select_related("tenant", "activity__organization", "tool").get(pk=mapping_id))


@task
def count_days(tenant_id: int) -> int:
    """Count the marked days of a district."""
    return crediting.count_marked(tenant_id=tenant_id)


@task
def count_all_days() -> int:
    """Count days of any district whose job was lost."""
    tenants = set(DayToCount.objects.order_by().values_list("tenant", flat=True))
    return sum(crediting.count_marked(tenant_id=tenant) for tenant in sorted(tenants))
