// The tables of forms agree with each other.
#include "lib/rewrite/form.h"

#include <gtest/gtest.h>

#include <set>

namespace intaglio {
namespace {

TEST(Form, EachHasItsTraitsAndItsRow) {
  for (const Word<OutputForm>& word : words(OutputForm{})) {
    EXPECT_EQ(traits_of(word.value).form, word.value) << word.word;
    EXPECT_EQ(def_of(word.value).form, word.value) << word.word;
    EXPECT_EQ(value_of<OutputForm>(word.word), word.value);
    EXPECT_EQ(word_of(word.value), word.word);
  }
  EXPECT_EQ(form_traits.size(), words(OutputForm{}).size());
  EXPECT_FALSE(value_of<OutputForm>("int8").has_value());
}

TEST(Form, ActivationsHaveCodesFromDataOrAtRunTimeOrNone) {
  for (const FormTraits& form : form_traits) {
    EXPECT_FALSE(form.codes && form.at_run_time) << word_of(form.form);
    EXPECT_TRUE(form.codes || !form.pairs) << word_of(form.form) << ": pairs hold codes";
  }
}

}  // namespace
}  // namespace intaglio
