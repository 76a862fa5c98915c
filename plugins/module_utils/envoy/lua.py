# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The little that Envoy's own filters cannot say, in its Lua filter.

Envoy has no JSON parser for Lua. A quote inside a JSON string is escaped, so that a pattern with bare quotes around a key
can only meet a key; what has another form than expected is passed on as it is.
"""

from __future__ import annotations

from .types import Json
from .xds import extension, typed

_LUA = "envoy.extensions.filters.http.lua.v3.Lua"
_PER_ROUTE = "envoy.extensions.filters.http.lua.v3.LuaPerRoute"
_MODEL_ERRORS = "model-errors"

# Of a request: a credential that stands there twice leaves open which one counts. Rules about headers look at each value
# by itself and so would let it pass; no credential has this form, and none does.
#
# A small body is waited for. Who refuses a request before its body is there ends the HTTP/2 stream behind the answer (RFC
# 9113, section 8.1), and clients in wide use then lose the answer: curl 7.88, which Debian 12 has, says "Stream error in the
# HTTP/2 framing layer" and not 401. So small is less than what any stream may send unasked (its first window, 64 KiB).
#
# What callers see of every answer, whoever gave it. Two limits may apply to one request and each filter adds its own
# three headers: callers see one set, that of the limit which is nearest to its end. Retry-After is the time after
# which that limit has room again; for a model that cannot answer yet, whoever said so, it is a few seconds.
_EDGE = """
local credentials = {"authorization", "x-api-key"}
local names = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
function envoy_on_request(handle)
  local headers = handle:headers()
  for n = 1, 2 do
    if headers:getNumValues(credentials[n]) > 1 then
      headers:remove(credentials[n])
      headers:add(credentials[n], "ambiguous")
    end
  end
  local length = tonumber(headers:get("content-length") or "")
  if length and length > 0 and length <= 16384 then handle:body() end
end
function envoy_on_response(handle)
  local headers = handle:headers()
  local best, least = nil, nil
  for i = 0, headers:getNumValues(names[2]) - 1 do
    local remaining = tonumber(headers:getAtIndex(names[2], i))
    local limit = tonumber(headers:getAtIndex(names[1], i))
    if remaining and limit and limit < 4294967295 and (least == nil or remaining < least) then
      best, least = i, remaining
    end
  end
  local values = {}
  if best ~= nil then
    for n = 1, 3 do values[n] = headers:getAtIndex(names[n], best) end
  end
  for n = 1, 3 do
    headers:remove(names[n])
    if values[n] then headers:add(names[n], values[n]) end
  end
  if headers:get(":status") == "429" then
    headers:replace("retry-after", tostring(math.max(1, tonumber(values[3] or "1"))))
  elseif headers:get(":status") == "503" and not headers:get("retry-after") then
    headers:add("retry-after", "5")
  end
  headers:remove("x-envoy-upstream-healthchecked-cluster")
end
"""

# llama.cpp's server answers {"error": {"code": 400, "message": "...", "type": "..."}} on every path. Only answers whose
# length is known and small are read: a stream of tokens never is.
_READ_ERROR = """
function read_error(handle)
  local headers = handle:headers()
  local length = tonumber(headers:get("content-length") or "")
  if tonumber(headers:get(":status")) < 400 or not length or length < 2 or length > 16384 then
    return nil
  end
  local body = handle:body()
  local text = body and body:getBytes(0, body:length()) or ""
  if not string.find(text, '^{"error":{') then return nil end
  text = string.gsub(text, "%[json%.exception%.[%w_.]+%] ", "")
  return body, (string.gsub(text, "llama%.cpp", "this model"))
end
function answer(handle, body, text)
  handle:headers():replace("content-length", body:setBytes(text))
end
"""

# OpenAI's: code is a word or null, and there is a param.
_OPENAI_ERRORS = (
    _READ_ERROR
    + """
function envoy_on_response(handle)
  local body, text = read_error(handle)
  if not body or string.find(text, '"param":') then return end
  local kind = string.match(text, '"type":"([%w_]+)"')
  local code = kind and '"' .. kind .. '"' or "null"
  if kind == "exceed_context_size_error" then
    code = '"context_length_exceeded"'
    text = string.gsub(text, '"type":"[%w_]+"', '"type":"invalid_request_error"', 1)
  end
  answer(handle, body, (string.gsub(text, '"code":%d+', '"code":' .. code .. ',"param":null', 1)))
end
"""
)

# Anthropic's: {"type": "error", "error": {"type": ..., "message": ...}}.
_ANTHROPIC_ERRORS = (
    _READ_ERROR
    + """
local kinds = {exceed_context_size_error = "invalid_request_error", server_error = "api_error"}
function envoy_on_response(handle)
  local body, text = read_error(handle)
  if not body then return end
  text = string.gsub(text, '"code":%d+,', "", 1)
  text = string.gsub(text, '"type":"([%w_]+)"', function(kind)
    return '"type":"' .. (kinds[kind] or kind) .. '"'
  end, 1)
  answer(handle, body, '{"type":"error",' .. string.sub(text, 2))
end
"""
)


def edge() -> Json:
    """A filter that comes first: it sees requests before all others, and answers after them."""
    return extension("edge", _LUA, {"default_source_code": {"inline_string": _EDGE}})


def model_errors() -> Json:
    """A filter that brings a language model's own errors into the form of the protocol that its route names."""
    sources = {"openai": _OPENAI_ERRORS, "anthropic": _ANTHROPIC_ERRORS}
    return extension(
        _MODEL_ERRORS,
        _LUA,
        {"source_codes": {name: {"inline_string": code} for name, code in sources.items()}},
    )


def model_errors_as(protocol: str) -> Json:
    """What a route of a protocol, "openai" or "anthropic", says to that filter."""
    return {_MODEL_ERRORS: typed(_PER_ROUTE, {"name": protocol})}
