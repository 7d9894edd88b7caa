import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./app/global.css";
import { queries, router } from "./app/router";
import { ThemeProvider } from "./app/theme";
import { loadTheRest } from "./parts/lazy";

// The first screen comes first, with what it asks for.
const shown = router.subscribe("onRendered", () => {
  shown();
  setTimeout(() => void loadTheRest(), 3000);
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ThemeProvider>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ThemeProvider>
  </StrictMode>,
);
