"""Distribution (参与分配, 分配方案): who gets what of the case money, in which order, and by which rule."""
