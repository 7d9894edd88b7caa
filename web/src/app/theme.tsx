import { FluentProvider, teamsHighContrastTheme, webDarkTheme, webLightTheme, type Theme } from "@fluentui/react-components";
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { store, stored } from "./stored";

export type ThemeChoice = "system" | "light" | "dark" | "contrast";
export type ThemeName = Exclude<ThemeChoice, "system">;

export const themeWords: Record<ThemeChoice, string> = { system: "Same as the system", light: "Light", dark: "Dark", contrast: "High contrast" };

const fluent: Record<ThemeName, Theme> = { light: webLightTheme, dark: webDarkTheme, contrast: teamsHighContrastTheme };
const queries = ["(prefers-contrast: more)", "(forced-colors: active)", "(prefers-color-scheme: dark)"];

/** public/theme.js reads the same, before the first paint. */
function chosen(): ThemeChoice {
  const choice = stored("theme");
  return choice === "light" || choice === "dark" || choice === "contrast" ? choice : "system";
}

function system(): ThemeName {
  const [more, forced, dark] = queries.map((q) => matchMedia(q).matches);
  return more || forced ? "contrast" : dark ? "dark" : "light";
}

const Context = createContext<{ choice: ThemeChoice; name: ThemeName; choose: (c: ThemeChoice) => void }>({
  choice: "system", name: "light", choose: () => undefined,
});

/** The theme in force, and how to choose another. */
export const useTheme = () => use(Context);

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState(chosen);
  const [ofSystem, setOfSystem] = useState(system);
  useEffect(() => {
    const lists = queries.map((q) => matchMedia(q));
    const changed = () => setOfSystem(system());
    for (const l of lists) l.addEventListener("change", changed);
    return () => {
      for (const l of lists) l.removeEventListener("change", changed);
    };
  }, []);
  const name = choice === "system" ? ofSystem : choice;
  useEffect(() => {
    document.documentElement.dataset.theme = name;
  }, [name]);
  const choose = useCallback((c: ThemeChoice) => {
    setChoice(c);
    store("theme", c);
  }, []);
  const value = useMemo(() => ({ choice, name, choose }), [choice, name, choose]);
  return (
    <Context value={value}>
      <FluentProvider theme={fluent[name]}>
        {children}
      </FluentProvider>
    </Context>
  );
}
