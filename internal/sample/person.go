package sample

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Names are weighted by repetition.
const (
	surnames = "Nguyễn Nguyễn Nguyễn Nguyễn Nguyễn Nguyễn Trần Trần Trần Lê Lê Phạm Phạm Hoàng Hoàng Huỳnh Phan Phan Vũ Võ Đặng " +
		"Bùi Đỗ Hồ Ngô Dương Lý Đinh Trịnh Mai Lương Đoàn Tạ Cao Hà Tô Châu Quách Nông Triệu Vương Lưu Thái Tống La Đào Giàng Sùng Lò Vàng Kiều Từ Chu"
	maleMiddles = "Văn Văn Văn Văn Hữu Đức Minh Quang Công Đình Xuân Ngọc Thanh Hoàng Quốc Gia Tuấn Bá Thế Trọng Nhật Viết Duy Mạnh Tiến Khắc Chí"
	maleGivens  = "An Anh Bách Bảo Bình Chiến Chương Cường Danh Dũng Duy Đại Đạt Đăng Định Đông Đức Giang Hải Hào Hậu Hiển Hiếu Hiệp Hòa Hoàng " +
		"Huấn Hùng Huy Hưng Khang Khánh Khải Khoa Khôi Kiên Kiệt Lâm Lân Long Lộc Luân Mạnh Minh Nam Nghĩa Nguyên Nhân Nhật Ninh Phát Phong Phú " +
		"Phúc Phước Quân Quang Quyết Quý Quốc Sang Sáng Sơn Tài Tâm Tân Thái Thành Thắng Thiện Thịnh Thọ Thông Thuận Thường Tiến Toàn Trí Trọng Trung " +
		"Trường Tú Tuấn Tùng Tường Vinh Việt Vũ Vượng Ưng Ước Xuân"
	femaleMiddles = "Thị Thị Thị Thị Ngọc Thu Thanh Kim Bích Minh Phương Hồng Mai Thúy Diệu Khánh Mỹ Như Quỳnh Bảo Ánh Cẩm Tuyết Hoài Xuân Lệ"
	femaleGivens  = "An Anh Ánh Bích Châu Chi Cúc Diễm Diệp Dung Duyên Đào Điệp Gấm Giang Hà Hạnh Hằng Hân Hiền Hiếu Hoa Hòa Hoài Hồng Huệ Huyền Hương " +
		"Hường Khanh Khuê Lan Lành Lam Liên Liễu Linh Loan Ly Lý Mai May Mến Mơ My Mỹ Na Nga Ngà Ngân Ngọc Nguyệt Nhàn Nhi Nhung Như Nương Oanh Phương " +
		"Phượng Quyên Quỳnh Sen Tâm Thảo Thắm Thanh Thi Thoa Thơ Thơm Thu Thủy Thúy Thư Thương Tình Trà Trang Trâm Trinh Trúc Tuyết Tươi Uyên Vân Vy Xuân Xuyến Yến"
	// idProvinces are the codes of the provinces before the mergers, as personal IDs keep them.
	idProvinces = "001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 036 037 038 040 042 044 045 046 048 " +
		"049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075 077 079 080 082 083 084 086 087 089 091 092 093 094 095 096"
	ethnics = "Kinh Kinh Kinh Kinh Kinh Kinh Kinh Kinh Tày Thái Mường Hoa Khmer Nùng Dao Mông"
)

type person struct {
	name, id, address, ethnic string
	birth                     time.Time
	male                      bool
}

func word(rng *rand.Rand, list string) string {
	return pick(rng, strings.Fields(list))
}

// newPerson draws somebody born between two ages before a day. A surname of "" is drawn.
func newPerson(rng *rand.Rand, pr province, on time.Time, youngest, oldest int, male bool, surname string) person {
	p := person{male: male, ethnic: word(rng, ethnics)}
	age := youngest + rng.IntN(oldest-youngest+1)
	p.birth = on.AddDate(-age, 0, -1-rng.IntN(360))
	p.name = newName(rng, male, surname)
	p.id = newPersonalID(rng, pr.id, p.birth, male)
	p.address = pr.address(rng, pick(rng, pr.communes), on)
	return p
}

func newName(rng *rand.Rand, male bool, surname string) string {
	if surname == "" {
		surname = word(rng, surnames)
	}
	middles, givens := femaleMiddles, femaleGivens
	if male {
		middles, givens = maleMiddles, maleGivens
	}
	name := []string{surname, word(rng, middles)}
	if rng.IntN(6) == 0 {
		name = append(name, word(rng, givens))
	}
	for {
		given := word(rng, givens)
		if given != name[len(name)-1] {
			return strings.Join(append(name, given), " ")
		}
	}
}

// newPersonalID draws a 12-digit personal ID: province of birth registration, century and sex, year of birth, six digits by lot.
func newPersonalID(rng *rand.Rand, home string, birth time.Time, male bool) string {
	if rng.IntN(3) == 0 {
		home = word(rng, idProvinces)
	}
	sex := (birth.Year()/100 - 19) * 2
	if !male {
		sex++
	}
	return fmt.Sprintf("%s%d%02d%06d", home, sex, birth.Year()%100, 1+rng.IntN(999_999))
}

func (p person) surname() string {
	first, _, _ := strings.Cut(p.name, " ")
	return first
}

func (p person) sex() string {
	if p.male {
		return "Nam"
	}
	return "Nữ"
}

func (p person) sexCode() string {
	if p.male {
		return "male"
	}
	return "female"
}

func (p person) addressed() string {
	if p.male {
		return "ông"
	}
	return "bà"
}
