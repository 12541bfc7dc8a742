-- Health of a StatefulDatabase for Argo CD (resource.customizations.health.statefuldb.dev_StatefulDatabase).
-- `obj` is the object as stored; what is returned has a status and a message.
local hs = { status = "Progressing", message = "waiting for the operator to look at it" }

if obj.metadata.deletionTimestamp ~= nil then
  hs.message = "being deleted; its data is looked after first"
  return hs
end

if obj.status == nil or obj.status.conditions == nil then
  return hs
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  hs.message = "waiting for the operator to look at generation " .. tostring(obj.metadata.generation)
  return hs
end

local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end

local function holds(kind)
  return found[kind] ~= nil and found[kind].status == "True"
end

local function says(kind)
  return found[kind].reason .. ": " .. found[kind].message
end

if found.Ready ~= nil then
  hs.message = says("Ready")
end

-- A plan that waits for a person, and a pause, are what somebody chose: nothing is broken.
local chosen = { ApprovalRequired = true, ApprovalStale = true, Paused = true }
if found.Ready ~= nil and found.Ready.status == "False" and chosen[found.Ready.reason] and not holds("DataAtRisk") then
  hs.status = "Suspended"
  return hs
end

for _, kind in ipairs({ "DataAtRisk", "Stalled", "Degraded" }) do
  if holds(kind) then
    hs.status = "Degraded"
    hs.message = says(kind)
    return hs
  end
end

if holds("Ready") then
  hs.status = "Healthy"
end
return hs
