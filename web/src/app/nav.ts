import {
  ArrowRouting20Filled, ArrowRouting20Regular, Home20Filled, Home20Regular, MailWarning20Filled, MailWarning20Regular, PlugConnected20Filled,
  PlugConnected20Regular, Pulse20Filled, Pulse20Regular, PuzzlePiece20Filled, PuzzlePiece20Regular, Settings20Filled, Settings20Regular, type FluentIcon,
} from "@fluentui/react-icons";

export interface Place {
  to: string;
  label: string;
  /** For narrow rails and the bar of phones. */
  short: string;
  icon: FluentIcon;
  iconHere: FluentIcon;
  keys: string;
  /** In the bar of phones; the others are under "More". */
  first?: boolean;
}

/** The rail, top to bottom. */
export const places: Place[] = [
  { to: "/", label: "Overview", short: "Overview", icon: Home20Regular, iconHere: Home20Filled, keys: "g o", first: true },
  { to: "/routes", label: "Routes", short: "Routes", icon: ArrowRouting20Regular, iconHere: ArrowRouting20Filled, keys: "g r", first: true },
  { to: "/plugins", label: "Plugins", short: "Plugins", icon: PuzzlePiece20Regular, iconHere: PuzzlePiece20Filled, keys: "g p" },
  { to: "/live", label: "Live events", short: "Live", icon: Pulse20Regular, iconHere: Pulse20Filled, keys: "g l", first: true },
  { to: "/dead-letters", label: "Dead letters", short: "Dead", icon: MailWarning20Regular, iconHere: MailWarning20Filled, keys: "g d", first: true },
  { to: "/endpoints", label: "Endpoints & sources", short: "Endpoints", icon: PlugConnected20Regular, iconHere: PlugConnected20Filled, keys: "g e" },
  { to: "/settings", label: "Settings", short: "Settings", icon: Settings20Regular, iconHere: Settings20Filled, keys: "g s" },
];
