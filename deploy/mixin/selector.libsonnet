// A selector put into every series of Kullback that a text asks for; what rules record has it already.
local letters = std.set(std.stringChars('abcdefghijklmnopqrstuvwxyz_:'));
local isOf(letter) = std.setMember(letter, letters);

// How many letters of a name a text begins with.
local nameLength(text, from=0) =
  if from < std.length(text) && isOf(text[from]) then nameLength(text, from + 1) tailstrict else from;

local selected(rest, selector) =
  local length = nameLength(rest);
  local name = rest[:length], behind = rest[length:];
  if std.startsWith(behind, '{job=') then rest  // by its job: see mixin.libsonnet
  else if std.startsWith(behind, '{}') then name + '{' + selector + behind[1:]
  else if std.startsWith(behind, '{') then name + '{' + selector + ', ' + behind[1:]
  else name + '{' + selector + '}' + behind;

function(text, selector)
  local parts = std.split(text, 'kullback_');
  local joined(before, rest) =
    local isRecorded = before != '' && isOf(before[std.length(before) - 1]);
    before + 'kullback_' + (if isRecorded then rest else selected(rest, selector));
  if selector == '' then text else std.foldl(joined, parts[1:], parts[0])
